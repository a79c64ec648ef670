"""An RQ worker that takes many jobs at a time into one warm process, and shows that it lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.job import Job

from workers.attempt import Failed
from workers.loop import SIGN_EVERY_SECONDS, SIGN_OF_LIFE_SECONDS

POLL_SECONDS = 0.002

log = structlog.get_logger()

# Performs many jobs, and gives those that failed with why.
Perform = Callable[[Sequence[UUID]], Mapping[UUID, Failed]]


class BatchWorker(SimpleWorker):
    """Drain the queue into batches, perform each at once, and end each job on its own.

    perform : what to do with the ids; most : jobs in a batch; wait : seconds that the first of a
    batch waits for company; idle : called from the work loop while there is nothing to do
    """

    def __init__(
        self,
        *given: Any,
        perform: Perform,
        most: int,
        wait: float,
        idle: Callable[[], None] = lambda: None,
        **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self._perform = perform
        self._most = most
        self._wait = wait
        self._idle = idle

    @property
    def stopping(self) -> bool:
        """Tell whether it was asked to stop after the batch in hand."""
        return bool(self._stop_requested)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Perform a job together with whatever waits behind it."""
        running = [(each, self.prepare_execution(each)) for each in self._gather(job, queue)]
        for each, _ in running:
            self.prepare_job_execution(each, remove_from_intermediate_queue=True)
            each.started_at = datetime.now(UTC)
        with self._showing_life(running):
            failed = self._outcomes([each for each, _ in running])
        for each, execution in running:
            error = failed.get(each.id)
            if error is None:
                self._finalize_success(each, queue, execution, None)
            else:
                self._finalize_failure(each, queue, execution, (type(error), error, None))

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        return SIGN_OF_LIFE_SECONDS

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
        else:
            # Several times a job: one way to the queue and back, not three.
            with self.connection.pipeline() as together:
                super().heartbeat(timeout, together)
                together.execute()
        if threading.current_thread() is threading.main_thread():
            self._idle()

    def _gather(self, first: Job, queue: Queue) -> list[Job]:
        """Collect waiting jobs until the batch is full or the window closes.

        Of several workers none takes more than its share of what waits, so that all have work.
        """
        jobs = {first.id: first}
        if self._most == 1:
            return [first]
        workers = max(1, self.count(queue=queue))
        closes = time.monotonic() + self._wait
        while len(jobs) < self._most and not self._stop_requested:
            if workers > 1 and workers * len(jobs) >= len(jobs) + queue.count:
                break
            found = self.queue_class.dequeue_any(
                [queue],
                None,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
            if found is not None:
                jobs.setdefault(found[0].id, found[0])
            elif time.monotonic() >= closes:
                break
            else:
                time.sleep(POLL_SECONDS)
        return list(jobs.values())

    def _outcomes(self, jobs: Sequence[Job]) -> dict[str, Failed]:
        """Perform jobs; give those that failed, by job id. No error ends the worker here."""
        ids: dict[UUID, str] = {}
        failed: dict[str, Failed] = {}
        for job in jobs:
            try:
                ids[UUID(job.args[0])] = job.id
            except Exception as error:
                log.error("no such job", job_id=job.id, exc_info=error)
                failed[job.id] = Failed("no such job")
        try:
            found = self._perform(list(ids))
        except Exception as error:
            log.error("batch failed", batch=len(ids), exc_info=error)
            found = {one: Failed(type(error).__name__) for one in ids}
        return failed | {ids[one]: error for one, error in found.items()}

    @contextmanager
    def _showing_life(self, running: Sequence[tuple[Job, Execution]]) -> Iterator[None]:
        """Renew the signs of life of all running jobs from a thread until the work is done."""
        done = threading.Event()

        def show() -> None:
            while not done.wait(SIGN_EVERY_SECONDS):
                try:
                    self._show_life(running)
                except RedisError as error:
                    log.warning("no sign of life", error=type(error).__name__)

        thread = threading.Thread(target=show, name="signs-of-life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            # A sign that came after the end would bring a finished job's key back.
            done.set()
            thread.join()

    def _show_life(self, running: Sequence[tuple[Job, Execution]]) -> None:
        with self.connection.pipeline() as pipeline:
            super().heartbeat(pipeline=pipeline)
            for job, execution in running:
                execution.heartbeat(job.started_job_registry, SIGN_OF_LIFE_SECONDS, pipeline)
            pipeline.execute()
