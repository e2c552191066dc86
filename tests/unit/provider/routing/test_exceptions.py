"""Since when something of the catalogue is wrong, or right again."""

from __future__ import annotations

from provider.routing.exceptions import Exceptions
from registry.entries import Fault, PlacedError
from registry.snapshot import Snapshot
from tests.records import routed
from tests.unit.fakes import NOON, Clock
from tests.unit.provider.routing.scene import document, entry, snapshot

OLD = "2025-01-01T00:00:00Z"
HOLDER = routed("a", OLD, hostnames=["x.test"])
LOSER = routed("b", hostnames=["x.test"])


def broken(code: str = "invalid_record") -> Snapshot:
    """A catalogue in which `b` is broken, its last good version in force."""
    fault = Fault(code, (PlacedError("/slug", "no"),), "env-b", "b")
    return Snapshot((entry(HOLDER), entry(LOSER, fault=fault)))


def test_what_never_was_wrong_has_no_time() -> None:
    exceptions = Exceptions()
    exceptions.note(snapshot(HOLDER), document(HOLDER), NOON)
    assert exceptions.since("env-a", "Valid") is None
    assert exceptions.since("env-a", "Accepted") is None


def test_what_stays_wrong_keeps_its_time_and_what_is_mended_has_that_one() -> None:
    clock, exceptions = Clock(), Exceptions()
    both = snapshot(HOLDER, LOSER)
    exceptions.note(both, document(HOLDER, LOSER), clock())
    exceptions.note(both, document(HOLDER, LOSER), clock.move(seconds=9))
    assert exceptions.since("env-b", "Accepted") == NOON
    mended = clock.move(seconds=1)
    exceptions.note(both, document(LOSER), mended)
    exceptions.note(both, document(LOSER), clock.move(seconds=9))
    assert exceptions.since("env-b", "Accepted") == mended
    exceptions.note(both, document(HOLDER, LOSER), clock.move(seconds=1))
    assert exceptions.since("env-b", "Accepted") == clock()


def test_another_reason_is_another_time() -> None:
    clock, exceptions = Clock(), Exceptions()
    made = document(HOLDER)
    exceptions.note(broken(), made, clock())
    exceptions.note(broken(), made, clock.move(seconds=1))
    assert exceptions.since("env-b", "Valid") == NOON
    exceptions.note(broken("slug_taken"), made, clock.move(seconds=1))
    assert exceptions.since("env-b", "Valid") == clock()


def test_what_is_deleted_is_forgotten() -> None:
    exceptions = Exceptions()
    exceptions.note(broken(), document(HOLDER, LOSER), NOON)
    exceptions.note(snapshot(HOLDER), document(HOLDER), NOON)
    assert exceptions.since("env-b", "Valid") is None
    assert exceptions == Exceptions()
