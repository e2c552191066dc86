"""The verb that follows: watch."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from registry.cli.terminal import client_of, printable, remark, say
from registry.client import Client
from registry.connection import Unreachable
from registry.errors import NotReady, SlowDown, StoreUnavailable
from registry.event_stream import KINDS, EventKind, Streamed

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 10.0
_INTERRUPTED = 130
_PASSING = (Unreachable, SlowDown, StoreUnavailable, NotReady)


def watch(
    context: typer.Context,
    ref: Annotated[
        str | None, typer.Argument(metavar="[REF]", help="an id or a slug; none: all of them")
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"these alone, may be repeated: {', '.join(KINDS)}"),
    ] = None,
    until: Annotated[
        EventKind | None, typer.Option("--until", help="end with 0 at the first event of this kind")
    ] = None,
    timeout_s: Annotated[
        float | None,
        typer.Option("--timeout-s", min=0.1, help="with --until: give up after these seconds"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="one JSON value a line, as the events come")
    ] = False,
) -> None:
    """Events as they come, a line each.

    When the daemon restarts it connects again and prints `reset`: something may have been missed.
    Ctrl-C ends it with 130.
    """
    if timeout_s is not None and until is None:
        raise typer.BadParameter("--timeout-s needs --until")
    odd = [kind for kind in kinds or () if kind not in KINDS]
    if odd:
        raise typer.BadParameter(f"--kind {odd[0]}: one of {', '.join(KINDS)}")
    asked = [*kinds, *([until] if until else [])] if kinds else []
    filters = {"environment": ref, "kind": ",".join(dict.fromkeys(asked)) or None}
    show = _show_json if as_json else _show
    try:
        with _at_most(timeout_s):
            for event in _followed(client_of(context), filters):
                show(event)
                if event.kind == until:
                    return
    except _TooLate:
        remark(f"no event {until} within {timeout_s:g} seconds")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


def _followed(client: Client, filters: Mapping[str, object]) -> Iterator[Streamed]:
    """The events of one stream after the other. Raises what a first connection raises."""
    last_id: str | None = None
    wait_s, lost = _FIRST_WAIT_S, False
    while True:
        try:
            for event in client.events(filters, last_id):
                if lost or last_id is None:
                    remark("connected again" if lost else f"connected to {client.url}")
                wait_s, lost, last_id = _FIRST_WAIT_S, False, last_id or "none"
                if event is not None:
                    last_id = event.id
                    yield event
        except _PASSING:
            if last_id is None:
                raise
        if not lost:
            remark("the stream ended; connecting again")
        lost = True
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def _show_json(event: Streamed) -> None:
    say(json.dumps(event._asdict(), separators=(",", ":")))


def _show(event: Streamed) -> None:
    data: dict[str, Any] = event.data if isinstance(event.data, dict) else {"data": event.data}
    about = data.get("environment") or data.get("slug") or data.get("environments")
    names = ", ".join(map(str, about)) if isinstance(about, list) else about
    what = _WORDS.get(event.kind, _anything)(data)
    at = str(data.get("at", ""))
    say("  ".join((at, f"{event.kind:<17}", f"{printable(names):<28}", printable(what))).rstrip())


def _of_environment(data: Mapping[str, Any]) -> str:
    changed = [each for each in data.get("changed") or () if each != "/updated_at"]
    fields = f" {', '.join(changed)}" if changed else ""
    return f"{data.get('action')}{fields} by {data.get('actor')} ({data.get('source')})"


def _anything(data: Mapping[str, Any]) -> str:
    shown = ("at", "environment", "environments")
    facts = ((key, value) for key, value in data.items() if key not in shown and value is not None)
    return ", ".join(f"{key} {value}" for key, value in facts)


def _of_message(data: Mapping[str, Any]) -> str:
    return str(data.get("message") or data.get("reason") or "")


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "environment": _of_environment,
    "conflict": _of_message,
    "conflict_resolved": lambda data: f"not any more: {_of_message(data)}",
    "quarantined": _of_message,
    "mended": _of_message,
    "reset": _of_message,
}


class _TooLate(Exception):
    """The time of --timeout-s is over."""


@contextmanager
def _at_most(timeout_s: float | None) -> Iterator[None]:
    """Raises _TooLate inside, wherever it waits, when the time is over."""

    def ring(_number: int, _frame: object) -> None:
        raise _TooLate

    if timeout_s is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
