"""How RQ's work loop is set and run by every worker here."""

from __future__ import annotations

import gc
from typing import Any

from redis.exceptions import RedisError
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

# RQ takes a worker or a job for dead when its last sign of life has run out; its own defaults
# notice that within ten minutes.
SIGN_OF_LIFE_SECONDS = 25
SIGN_EVERY_SECONDS = 5
SET: dict[str, Any] = {
    "serializer": JSONSerializer,
    "worker_ttl": 25,
    "maintenance_interval": 10,
    "job_monitoring_interval": SIGN_EVERY_SECONDS,
    "log_job_description": False,
}


def keep_what_is_loaded() -> None:
    """Take what is loaded out of the collector's sight, for it lives as long as the process.

    It would look through all that the lexicons hold every few dozen messages, for a quarter of a
    second each time.
    """
    gc.collect()
    gc.freeze()


def run(worker: BaseWorker, *, burst: bool) -> None:
    """Run a worker until it is told to stop, or with `burst` until its queue is empty.

    Raise SystemExit if the queue went away, so that whoever started it starts it again.
    """
    try:
        worker.work(burst=burst, logging_level="WARNING")
        asked = burst or worker._shutdown_requested_date is not None
    except RedisError:
        asked = False
    if not asked:
        raise SystemExit("The queue went away: the worker ends, to be started again.")
