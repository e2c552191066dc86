"""Lines of the history at first sight: what a start need not look into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registry.history_lines import is_past, second_of
from registry.revisions import Author, Revision, to_line

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def line(revision: int, at: datetime) -> bytes:
    """A line of the history."""
    return to_line(Revision(revision, at, Author("ann", "api"), "env-a", None, {"name": "a"}))


@pytest.mark.parametrize(
    ("revision", "at", "past"),
    [
        (3, NOON - timedelta(seconds=1), True),
        (2, NOON - timedelta(milliseconds=1), True),
        (3, NOON, False),
        (3, NOON + timedelta(milliseconds=1), False),
        (4, NOON - timedelta(days=1), False),
        (20, NOON - timedelta(days=1), False),
    ],
)
def test_a_line_is_past_by_its_revision_and_by_its_time(
    revision: int, at: datetime, past: bool
) -> None:
    assert is_past(line(revision, at), 3, second_of(NOON)) is past


@pytest.mark.parametrize("noise", [b"", b"\n", b"{}\n", b'{"revision":1}\n', b"\x00" * 80 + b"\n"])
def test_what_is_no_line_is_looked_at(noise: bytes) -> None:
    assert not is_past(noise, 3, second_of(NOON))


def test_a_line_with_its_time_in_another_form_is_looked_at() -> None:
    other = line(1, NOON - timedelta(days=1)).replace(b'Z","actor"', b'+00:00","actor"')
    assert not is_past(other, 3, second_of(NOON))
