"""What each environment had in each of the last documents."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from provider.document_log import DOCUMENTS_KEPT, DocumentLog
from tests.unit.fakes import NOON
from tests.unit.provider.logs import add

Shares = dict[str, str]


def logged(*documents: tuple[str, Shares]) -> DocumentLog:
    """A log of these, a second apart."""
    log = DocumentLog()
    for number, (digest, shares) in enumerate(documents):
        add(log, digest, shares, NOON + timedelta(seconds=number))
    return log


def test_what_a_document_had_stays_so_after_later_ones() -> None:
    log = logged(("A", {"one": "1"}), ("B", {"one": "2", "two": "1"}), ("C", {"two": "1"}))
    a, b, c = (log.get(digest) for digest in "ABC")
    assert a
    assert b
    assert c
    assert [log.share("one", each) for each in (a, b, c)] == ["1", "2", None]
    assert [log.share("two", each) for each in (a, b, c)] == [None, "1", "1"]
    assert log.latest is c


def test_a_document_that_came_back_is_the_newest_one() -> None:
    log = logged(("A", {"one": "1"}), ("B", {"one": "2"}), ("A", {"one": "1"}))
    a, b = log.get("A"), log.get("B")
    assert a is log.latest
    assert a
    assert b
    assert log.changed(b, a) == {"one"}
    assert log.between(b, a) == [a]


def test_a_document_that_came_back_is_known_after_its_first_time_is_forgotten() -> None:
    others = [(f"{number}", {"one": f"{number}"}) for number in range(DOCUMENTS_KEPT - 1)]
    log = logged(("A", {"one": "a"}), ("A", {"one": "a"}), *others)
    kept = log.get("A")
    assert kept is not None
    assert log.share("one", kept) == "a"
    add(log, "newer", {})
    assert log.get("A") is None


def test_what_changed_and_changed_back_did_not_change() -> None:
    log = logged(("A", {"one": "1"}), ("B", {"one": "2"}), ("C", {"one": "1", "two": "1"}))
    a, c = log.get("A"), log.get("C")
    assert a
    assert c
    assert log.changed(a, c) == log.changed(c, a) == {"two"}


def test_the_time_of_a_share_does_not_move_with_the_documents_of_others() -> None:
    documents = [(f"{n}", {"one": "1", "other": f"{n}"}) for n in range(3 * DOCUMENTS_KEPT)]
    log = logged(*documents)
    assert log.since("one") == log.began_at == NOON
    assert log.since("other") == NOON + timedelta(seconds=3 * DOCUMENTS_KEPT - 1)


def test_an_unknown_digest_is_no_document() -> None:
    log = logged(("A", {}))
    assert (log.get("B"), log.get(None), log.get("")) == (None, None, None)
    assert DocumentLog().latest is None


def test_no_more_is_kept_than_the_last_documents_need() -> None:
    log = logged(*((f"{n}", {f"env-{n}": "1"}) for n in range(5 * DOCUMENTS_KEPT)))
    assert len(log._documents) == len(log._by_digest) == DOCUMENTS_KEPT
    assert len(log._changes) <= DOCUMENTS_KEPT + 1
    assert sum(map(len, log._changes.values())) <= 2 * DOCUMENTS_KEPT


SHARES = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


@settings(max_examples=60, derandomize=True)
@given(st.lists(SHARES, min_size=1, max_size=3 * DOCUMENTS_KEPT), st.integers(0, 200))
def test_it_answers_as_one_that_keeps_every_share_of_the_last_documents(
    each: list[Shares], twist: int
) -> None:
    # The digest follows from the shares, as it does in life: documents come back.
    documents = [(f"{sorted(s.items())}", s) for s in each]
    repeated = documents * (1 + twist % 3)
    log, naive = logged(*repeated), repeated[-DOCUMENTS_KEPT:]
    whole = dict(naive)
    for digest, _ in repeated:
        assert (log.get(digest) is None) is (digest not in whole)
    for digest, shares in whole.items():
        document = log.get(digest)
        assert document is not None
        assert {e: log.share(e, document) for e in "abc"} == {e: shares.get(e) for e in "abc"}
        for other_digest, others in whole.items():
            other = log.get(other_digest)
            assert other is not None
            differing = {e for e in "abc" if shares.get(e) != others.get(e)}
            assert log.changed(document, other) == differing
        assert log.changed(None, document) == shares.keys()
