"""The lines of an event stream."""

from __future__ import annotations

import pytest

from registry.event_stream import Streamed, events_of


def lines(text: str) -> list[bytes]:
    """The lines as they come, each with its end."""
    return text.encode().splitlines(keepends=True)


def test_an_event_ends_with_an_empty_line() -> None:
    text = 'id: a-1\r\nevent: live\r\ndata: {"at": "now"}\r\n\r\nevent: live\r\n'
    assert list(events_of(lines(text))) == [Streamed("a-1", "live", {"at": "now"})]


def test_a_comment_says_that_the_stream_is_alive() -> None:
    assert list(events_of(lines(": ping\r\n\r\n: ping\n\n"))) == [None, None]


def test_what_is_missing_has_its_default() -> None:
    assert list(events_of(lines("data:7\n\n"))) == [Streamed("", "message", 7)]


def test_an_unknown_kind_and_unknown_fields_are_no_failure() -> None:
    text = 'retry: 5\nevent: task_opened\ndata: {"a": ": b"}\n\n'
    assert list(events_of(lines(text))) == [Streamed("", "task_opened", {"a": ": b"})]


@pytest.mark.parametrize("content", [b"data: {\n\n", b"data: \xff\n\n"])
def test_what_is_not_json_in_utf_8_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        list(events_of(content.splitlines(keepends=True)))
