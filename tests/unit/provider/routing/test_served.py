"""Since when a Traefik runs what it runs of each environment."""

from __future__ import annotations

from provider.document_log import DOCUMENTS_KEPT, DocumentLog
from provider.routing.served import ServedSince
from tests.unit.fakes import NOON, Clock
from tests.unit.provider.logs import add


def test_the_documents_of_others_have_no_say_however_many() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    old = add(log, "0", {"one": "1"})
    served.run(log, None, old, NOON)
    for number in range(1, 3 * DOCUMENTS_KEPT):
        new = add(log, f"{number}", {"one": "1", "other": f"{number}"}, clock.move(seconds=1))
        served.run(log, old, new, clock())
        old = new
    assert served.since("one") == NOON
    assert served.since("other") == clock()


def test_what_changed_began_with_the_document_that_has_it() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    a = add(log, "A", {"one": "1"})
    b = add(log, "B", {"one": "2"})
    served.run(log, None, a, NOON)
    served.run(log, a, b, clock.move(seconds=5))
    assert served.since("one") == clock()


def test_nothing_is_sure_across_a_document_that_is_not_known() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    a = add(log, "A", {"one": "1"})
    served.run(log, None, a, NOON)
    served.run(log, a, None, clock.move(seconds=5))
    served.run(log, None, a, clock.move(seconds=5))
    assert served.since("one") == clock()


def test_what_is_withdrawn_is_forgotten() -> None:
    log, served = DocumentLog(), ServedSince(NOON)
    a, b = add(log, "A", {"one": "1"}), add(log, "B", {"one": "2"})
    c = add(log, "C", {})
    served.run(log, a, b, NOON)
    served.run(log, b, c, NOON)
    assert served._since == {}
