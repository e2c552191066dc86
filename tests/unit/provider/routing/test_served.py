"""Since when a Traefik runs what it runs of each environment."""

from __future__ import annotations

from provider.document_log import DOCUMENTS_KEPT, DocumentLog
from provider.routing.served import ServedSince
from tests.unit.fakes import NOON, Clock


def test_the_documents_of_others_have_no_say_however_many() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    old = log.add("0", {"one": "1"}, NOON, 0.0)
    served.run(log, None, old, NOON)
    for number in range(1, 3 * DOCUMENTS_KEPT):
        new = log.add(f"{number}", {"one": "1", "other": f"{number}"}, clock.move(seconds=1), 0.0)
        served.run(log, old, new, clock())
        old = new
    assert served.since("one") == NOON
    assert served.since("other") == clock()


def test_what_changed_began_with_the_document_that_has_it() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    a = log.add("A", {"one": "1"}, NOON, 0.0)
    b = log.add("B", {"one": "2"}, NOON, 0.0)
    served.run(log, None, a, NOON)
    served.run(log, a, b, clock.move(seconds=5))
    assert served.since("one") == clock()


def test_nothing_is_sure_across_a_document_that_is_not_known() -> None:
    clock, log, served = Clock(), DocumentLog(), ServedSince(NOON)
    a = log.add("A", {"one": "1"}, NOON, 0.0)
    served.run(log, None, a, NOON)
    served.run(log, a, None, clock.move(seconds=5))
    served.run(log, None, a, clock.move(seconds=5))
    assert served.since("one") == clock()


def test_what_is_withdrawn_is_forgotten() -> None:
    log, served = DocumentLog(), ServedSince(NOON)
    a, b = log.add("A", {"one": "1"}, NOON, 0.0), log.add("B", {"one": "2"}, NOON, 0.0)
    c = log.add("C", {}, NOON, 0.0)
    served.run(log, a, b, NOON)
    served.run(log, b, c, NOON)
    assert served._since == {}
