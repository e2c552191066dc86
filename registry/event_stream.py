"""The stream of live events: which kinds there are, and how its lines are read. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, get_args

EventKind = Literal[
    "environment",
    "published",
    "live",
    "refused",
    "conflict",
    "conflict_resolved",
    "quarantined",
    "mended",
    "task_opened",
    "task_closed",
    "reset",
]
KINDS: tuple[EventKind, ...] = get_args(EventKind)
MEDIA_TYPE = "text/event-stream"


class Streamed(NamedTuple):
    """An event as it came; `id` is what a reconnect sends as `Last-Event-ID`."""

    id: str
    kind: str
    data: Any


def events_of(lines: Iterable[bytes]) -> Iterator[Streamed | None]:
    """The events of a stream; None for each comment, which only says that it is alive.

    Raises ValueError where the data of an event is not JSON in UTF-8. Source: WHATWG HTML, 9.2.6.
    """
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode("utf-8").rstrip("\r\n")
        name, _, value = text.partition(":")
        if text and not name:
            yield None
        elif text:
            fields[name] = value.removeprefix(" ")
        elif fields:
            data = json.loads(fields.get("data", "null"))
            yield Streamed(fields.get("id", ""), fields.get("event", "message"), data)
            fields = {}
