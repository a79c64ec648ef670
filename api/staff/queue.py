"""The queue and the workers, for administrators and for Prometheus."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.house import House
from api.staff import pages
from api.staff.pages import StaffRoute
from api.staff.session import At, Here
from ingest import crew
from ingest.crew import Hand
from ingest.queue import Stage
from models import access, workload
from models.access import Act
from models.columns import now
from models.database import reading, writing
from models.errors import NotFound, Unavailable
from models.workload import Workload

router = APIRouter(route_class=StaffRoute, include_in_schema=False)
# A worker says that it lives every few seconds; one that missed this long is taken for dead.
SILENT = timedelta(seconds=20)
REMEMBERED = timedelta(minutes=30)


@dataclass(frozen=True)
class Seen:
    """A worker and whether it lives."""

    hand: Hand
    alive: bool
    since: datetime


class Roll:
    """Remember workers that were there, so that one that died is missed and not just gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Seen] = {}

    def call(self, hands: tuple[Hand, ...], moment: datetime) -> tuple[Seen, ...]:
        """Call the roll: who answers, and who answered a while ago and does not now."""
        with self._lock:
            present = {hand.name: hand for hand in hands}
            for hand in hands:
                alive = hand.heard is not None and moment - hand.heard < SILENT
                before = self._known.get(hand.name)
                since = before.since if before and before.alive == alive else moment
                self._known[hand.name] = Seen(hand, alive, since)
            for name, seen in list(self._known.items()):
                if name in present:
                    continue
                if seen.alive:
                    self._known[name] = Seen(seen.hand, False, moment)
                elif moment - seen.since > REMEMBERED:
                    del self._known[name]
            return tuple(sorted(self._known.values(), key=lambda one: one.hand.name))


ROLL = Roll()


@router.get("/staff/queue")
def show(request: Request, at: At, here: Here) -> Response:
    """Show what waits, who works, and what went wrong."""
    access.require(here.account, Act.ADMINISTER)
    load = _load(at)
    template = "queue_panel.html" if pages.is_fragment(request) else "queue.html"
    return pages.render(
        request,
        template,
        here,
        load=load,
        workers=ROLL.call(crew.muster(at.queue), now()),
        alive=at.queue.alive(),
        moment_now=now(),
        depths=_depths(at),
    )


@router.post("/staff/queue/retry/{medium_id}")
def retry(request: Request, at: At, here: Here, medium_id: UUID) -> Response:
    """Try a medium again that was given up."""
    with writing(at.engine) as session:
        workload.retry(session, at.keys, here.account, medium_id)
    # The sweeper finds what is stored and not prepared.
    with suppress(Unavailable):
        at.queue.enqueue(Stage.PREPARE, medium_id)
    if pages.is_fragment(request):
        return show(request, at, here)
    return pages.back(request, "/staff/queue")


@router.get("/metrics")
def metrics(at: At, authorization: Annotated[str, Header()] = "") -> Response:
    """Give the same to Prometheus, which knows the token of the settings."""
    token = at.settings.metrics_token.get_secret_value()
    given = authorization.removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise NotFound(
            "没有这个地址，请检查后再试。",
            "There is nothing at this address: check it and try again.",
            code="no_such_address",
        )
    registry = CollectorRegistry()
    registry.register(Gauges(_load(at), ROLL.call(crew.muster(at.queue), now()), _depths(at)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Gauges(Collector):
    """The workload as Prometheus reads it."""

    def __init__(
        self, load: Workload, workers: tuple[Seen, ...], depths: dict[str, int | None]
    ) -> None:
        self._load = load
        self._workers = workers
        self._depths = depths

    def collect(self) -> Iterator[Metric]:
        """Write every gauge."""
        waiting = GaugeMetricFamily(
            "xiangyin_waiting", "Media that wait for a stage", labels=["stage", "language"]
        )
        oldest = GaugeMetricFamily(
            "xiangyin_waiting_oldest_seconds",
            "Age of the oldest medium that waits",
            labels=["stage", "language"],
        )
        moment = now()
        for one in self._load.waiting:
            waiting.add_metric([one.stage, one.language], one.count)
            oldest.add_metric([one.stage, one.language], (moment - one.oldest).total_seconds())
        yield from (waiting, oldest)
        queued = GaugeMetricFamily("xiangyin_queue_depth", "Ids in the queue", labels=["stage"])
        for stage, depth in self._depths.items():
            if depth is not None:
                queued.add_metric([stage], depth)
        yield queued
        alive = GaugeMetricFamily(
            "xiangyin_workers", "Workers by whether they live", labels=["alive"]
        )
        for state in (True, False):
            count = sum(seen.alive is state for seen in self._workers)
            alive.add_metric([str(state).lower()], count)
        yield alive
        yield GaugeMetricFamily(
            "xiangyin_settled_last_hour", "Media finished in the last hour", self._load.settled[-1]
        )
        yield GaugeMetricFamily(
            "xiangyin_processing_failed", "Media that were given up", self._load.failed
        )
        statuses = GaugeMetricFamily("xiangyin_complaints", "Complaints", labels=["status"])
        for status, count in self._load.statuses.items():
            statuses.add_metric([status], count)
        yield statuses


def _load(at: House) -> Workload:
    with reading(at.engine) as session:
        return workload.measure(session)


def _depths(at: House) -> dict[str, int | None]:
    """Ask how many ids each queue carries; None where it does not answer."""
    found: dict[str, int | None] = {}
    alive = at.queue.alive()
    for stage in Stage:
        found[stage.value] = at.queue.depth(stage) if alive else None
    return found
