from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from sqlmodel import select

from ingest.accept import About
from ingest.queue import Stage
from models.columns import now
from models.complaint import Complaint
from models.database import reading, writing
from models.errors import Invalid, Permanent, Unavailable, Unplayable, XiangyinError
from models.medium import Kind, Medium
from models.status import MediumState, Status
from models.transcript import ListenerReason, Recognition, Transcript
from tests.conftest import House
from tests.fakes import FakeEngine, recognition
from tests.files import sound, tone
from transcribe.engine import Request
from workers import transcribe as stage
from workers.house import House as Workshop
from workers.prepare import prepare, working_copy
from workers.transcribe import Patience, Stopped, expected, transcribe
from workers.watchdog import Pulse

LOUD = sound("wav", tone(2.0))
WEAK = sound("wav", (tone(2.0) // 4).astype(np.int16))


def prepared(house: House, workshop: Workshop, content: bytes = LOUD, language: str = "ii") -> UUID:
    writer = house.intake.receive(Kind.VOICE)
    writer.write(content)
    part = writer.finish()
    house.intake.accept([part], About(channel="xsl-clinic", declared_language=language))
    prepare(workshop, part.medium_id)
    return part.medium_id


def look(house: House, medium_id: UUID) -> tuple[Medium, Complaint, list[Transcript]]:
    with reading(house.engine) as session:
        medium = session.get_one(Medium, medium_id)
        versions = session.exec(select(Transcript).where(Transcript.medium_id == medium_id)).all()
        return medium, session.get_one(Complaint, medium.complaint_id), list(versions)


def is_weak(request: Request) -> bool:
    return bool(np.abs(request.samples).max() < 0.3)


def test_a_recording_becomes_a_transcript_and_its_report_ready(
    house: House, workshop: Workshop
) -> None:
    medium_id = prepared(house, workshop)
    engine = FakeEngine()
    assert transcribe(workshop, engine, [medium_id]) == {}
    medium, complaint, (version,) = look(house, medium_id)
    assert medium.state is MediumState.DONE
    assert complaint.status is Status.READY
    assert complaint.description == "村里的路没有修"
    assert (version.version, version.by, version.model) == (1, "model", "fake 1")
    assert version.evidence[0]["by"] == "whisper"
    (request,) = engine.asked
    assert request.declared == "ii"
    assert [likely.tag for likely in request.likely] == ["ii", "zh"]
    assert list(house.blobs.older("work", now())) == []


def test_a_batch_goes_to_the_engine_together(house: House, workshop: Workshop) -> None:
    ids = [prepared(house, workshop) for _ in range(3)]
    engine = FakeEngine()
    told: list[float] = []
    assert transcribe(workshop, engine, ids, told.append) == {}
    assert engine.batches == [3]
    assert told == [pytest.approx(6)]
    assert all(look(house, one)[0].state is MediumState.DONE for one in ids)


def test_a_batch_is_cut_where_its_sound_would_fill_the_memory(
    house: House, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "BATCH_SECONDS", 5.0)
    engine = FakeEngine()
    transcribe(workshop, engine, [prepared(house, workshop) for _ in range(3)])
    assert engine.batches == [2, 1]


def test_doing_it_twice_changes_nothing(house: House, workshop: Workshop) -> None:
    medium_id = prepared(house, workshop)
    transcribe(workshop, FakeEngine(), [medium_id, medium_id])
    before = [row.model_dump() for row in look(house, medium_id)[:2]]  # type: ignore[attr-defined]
    engine = FakeEngine()
    transcribe(workshop, engine, [medium_id])
    assert [row.model_dump() for row in look(house, medium_id)[:2]] == before  # type: ignore[attr-defined]
    assert engine.asked == []
    assert len(look(house, medium_id)[2]) == 1


def test_two_workers_with_one_recording_write_one_transcript(
    house: House, workshop: Workshop
) -> None:
    medium_id = prepared(house, workshop)

    def meanwhile(_: Request) -> Recognition:
        # Another worker gets the same id and is faster.
        transcribe(workshop, FakeEngine(), [medium_id])
        return recognition("另一个结果")

    assert transcribe(workshop, FakeEngine(meanwhile), [medium_id]) == {}
    medium, complaint, versions = look(house, medium_id)
    assert len(versions) == 1
    assert complaint.description == "村里的路没有修"
    assert medium.state is MediumState.DONE


@pytest.mark.parametrize("reason", list(ListenerReason))
def test_a_reason_sends_the_report_to_a_listener_and_keeps_the_evidence(
    house: House, workshop: Workshop, reason: ListenerReason
) -> None:
    medium_id = prepared(house, workshop)
    transcribe(workshop, FakeEngine(lambda _: recognition("", reason, "und")), [medium_id])
    medium, complaint, (version,) = look(house, medium_id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, reason.value)
    assert (complaint.status, complaint.status_reason) == (Status.NEEDS_LISTENER, reason.value)
    assert complaint.language == "und"
    assert version.segments == []


def test_one_bad_message_does_not_spoil_its_neighbours(house: House, workshop: Workshop) -> None:
    good, bad = prepared(house, workshop), prepared(house, workshop, WEAK)

    def answer(request: Request) -> Recognition | XiangyinError:
        return Invalid("不行", "no") if is_weak(request) else recognition("好")

    failed = transcribe(workshop, FakeEngine(answer), [bad, good])
    assert set(failed) == {bad}
    assert look(house, good)[0].state is MediumState.DONE
    assert look(house, bad)[0].state is MediumState.PREPARED


def test_an_engine_that_fails_on_a_batch_is_asked_one_by_one(
    house: House, workshop: Workshop
) -> None:
    good, bad = prepared(house, workshop), prepared(house, workshop, WEAK)

    def answer(request: Request) -> Recognition:
        if is_weak(request):
            raise RuntimeError("a marked message")
        return recognition("好")

    engine = FakeEngine(answer)
    failed = transcribe(workshop, engine, [good, bad])
    assert engine.batches == [2, 1, 1]
    assert set(failed) == {bad}
    assert "marked" not in str(failed[bad])
    assert look(house, good)[0].state is MediumState.DONE


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unplayable("不能播放", "cannot be played"), "poor_audio"),
        (Permanent("不行", "never"), "processing_failed"),
    ],
)
def test_what_will_never_work_goes_to_a_listener_at_once(
    house: House, workshop: Workshop, error: XiangyinError, reason: str
) -> None:
    medium_id = prepared(house, workshop)
    assert transcribe(workshop, FakeEngine(lambda _: error), [medium_id]) == {}
    medium, complaint, versions = look(house, medium_id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, reason)
    assert complaint.status is Status.NEEDS_LISTENER
    assert versions == []


def test_attempts_are_capped(house: House, workshop: Workshop) -> None:
    medium_id = prepared(house, workshop)

    def fail(_: Request) -> Recognition:
        raise RuntimeError

    for attempt in (1, 2, 3):
        assert set(transcribe(workshop, FakeEngine(fail), [medium_id])) == {medium_id}
        assert look(house, medium_id)[0].attempts == attempt
    assert transcribe(workshop, FakeEngine(fail), [medium_id]) == {}
    medium, complaint, _ = look(house, medium_id)
    assert (medium.state, medium.reason) == (MediumState.NEEDS_LISTENER, "processing_failed")
    assert complaint.status is Status.NEEDS_LISTENER


def test_a_worker_told_to_stop_hands_back_what_it_has_in_hand(
    house: House, workshop: Workshop
) -> None:
    ids = [prepared(house, workshop) for _ in range(2)]

    def stop(_: float) -> None:
        raise Stopped

    failed = transcribe(workshop, FakeEngine(), ids, stop)
    assert {str(error) for error in failed.values()} == {"stopped"}
    assert set(failed) == set(ids)
    assert [look(house, one)[0].attempts for one in ids] == [0, 0]
    assert transcribe(workshop, FakeEngine(), ids) == {}


def test_patience_ends_a_while_after_the_request_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = False
    patience = Patience(Pulse(None), lambda: asked)
    patience.tell(10)
    asked = True
    patience.tell(10)
    monkeypatch.setattr(stage, "FINISH_SECONDS", -1.0)
    with pytest.raises(Stopped):
        patience.tell(10)


def test_a_store_that_is_away_costs_no_attempt(
    house: House, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium_id = prepared(house, workshop)

    def away(*_: object) -> None:
        raise Unavailable("存储不可用", "The store is away.")

    with monkeypatch.context() as patched:
        patched.setattr(stage, "working_copy", away)
        assert set(transcribe(workshop, FakeEngine(), [medium_id])) == {medium_id}
    assert look(house, medium_id)[0].attempts == 0
    assert transcribe(workshop, FakeEngine(), [medium_id]) == {}


def test_what_was_in_a_crash_runs_alone_the_next_time(house: House, workshop: Workshop) -> None:
    ids = [prepared(house, workshop) for _ in range(3)]
    with writing(house.engine) as session:
        medium = session.get_one(Medium, ids[1])
        medium.attempts = 1
        session.add(medium)
    engine = FakeEngine()
    transcribe(workshop, engine, ids)
    assert engine.batches == [1, 2]


def test_samples_that_are_gone_are_made_again(house: House, workshop: Workshop) -> None:
    medium_id = prepared(house, workshop)
    house.blobs.delete(working_copy(medium_id))
    assert transcribe(workshop, FakeEngine(), [medium_id]) == {}
    medium, _, _ = look(house, medium_id)
    assert medium.state is MediumState.STORED
    assert medium_id in house.queue.held(Stage.PREPARE)


def test_what_is_not_prepared_goes_back_a_stage(house: House, workshop: Workshop) -> None:
    writer = house.intake.receive(Kind.VOICE)
    writer.write(LOUD)
    part = writer.finish()
    house.intake.accept([part], About())
    engine = FakeEngine()
    assert transcribe(workshop, engine, [part.medium_id]) == {}
    assert engine.asked == []
    assert look(house, part.medium_id)[0].attempts == 0


def test_a_channel_is_never_certain_of_its_languages() -> None:
    likely = expected(["ii", "zh", "bo"])
    assert [one.tag for one in likely] == ["ii", "zh", "bo"]
    assert sorted((one.probability for one in likely), reverse=True) == [
        one.probability for one in likely
    ]
    assert sum(one.probability for one in likely) < 1
    assert expected([]) == ()
