"""Which records we wrote a short while ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from registry.recent import RECENT, RecentWrites
from registry.revisions import Author, Revision, Source

AT = datetime(2026, 1, 1, tzinfo=UTC)


def written(
    environment_id: str, minutes: int = 0, *, is_new: bool = False, source: Source = "api"
) -> Revision:
    """A change of one record, so long after the first."""
    at, before = AT + timedelta(minutes=minutes), None if is_new else {}
    return Revision(1, at, Author("somebody", source), environment_id, before, {})


def test_of_each_record_the_last_write_counts() -> None:
    recent = RecentWrites()
    for minutes in range(60):
        recent.note(written("a", minutes))
    recent.note(written("b", 60))
    assert list(recent.written) == ["a", "b"]
    recent.forget(AT + timedelta(minutes=59) + RECENT)
    assert list(recent.written) == ["b"]


def test_a_record_that_was_made_counts_as_made_for_as_long_as_that_is_recent() -> None:
    recent = RecentWrites()
    recent.note(written("a", is_new=True))
    recent.note(written("a", 10))
    recent.forget(AT + timedelta(minutes=14))
    assert "a" in recent.made
    recent.forget(AT + RECENT)
    assert "a" in recent.written
    assert "a" not in recent.made


def test_what_people_changed_in_the_file_is_no_write_of_ours() -> None:
    recent = RecentWrites()
    for source in ("hand edit", "found"):
        recent.note(written("a", source=source))
    for number, source in enumerate(("api", "revert", "probe")):
        recent.note(written(f"b{number}", source=source))
    assert list(recent.written) == ["b0", "b1", "b2"]
