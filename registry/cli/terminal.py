"""What the verbs print: lines, JSON, and errors that say the next step."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from registry.client import Client
from registry.connection import is_plain_url
from registry.errors import RegistryError

AsJson = Annotated[bool, typer.Option("--json", help="one JSON value on standard output")]
Ref = Annotated[str, typer.Argument(metavar="REF", help="the id or the slug of an environment")]

_FAULTS_SHOWN = 20
_NEXT_STEPS = {
    "unauthenticated": "run `routebook login`, or set AGENT_TOKEN",
    "forbidden": "use an account or a token of a role that may: `routebook whoami`",
    "not_found": "`routebook list` shows what there is",
    "unknown_project": "`routebook list` shows those in use, below PROJECT",
    "quarantined": "`routebook show` it, then mend it in the file or with `routebook apply`",
    "edit_held": "`routebook confirm` lets the hand edit through; with --dry-run it shows it first",
    "catalogue_unreadable": "nothing is written until it can be read: `routebook check` says why",
    "edited_elsewhere": "run the command again",
    "revision_conflict": "run the command again",
    "route_conflict": "give it other host names, or change the one that holds the route",
    "foreign_files": "move the files away, or take the pair out of the record, then ask again",
    "slow_down": "wait, then try again",
    "disk_full": "make room on the daemon's disk; nothing was changed",
    "store_unavailable": "the daemon's log says why; nothing was changed",
    "host_not_allowed": "call the daemon by 127.0.0.1 or localhost, or add accounts",
}


def client_of(context: typer.Context) -> Client:
    """The API that this process speaks to; what it logged in is logged out at the end."""
    client = Client(context.obj)
    if not is_plain_url(client.url):
        raise typer.BadParameter(
            "AGENT_API_URL: not an address such as http://127.0.0.1:8700 (http or https, no user "
            "information: AGENT_TOKEN says who calls)"
        )
    context.call_on_close(client.close)
    return client


def say(text: str) -> None:
    """A line; flushed, so that a pipe closed early ends the command and not the interpreter."""
    print(text, flush=True)


def say_json(value: Any) -> None:
    """One JSON value."""
    say(json.dumps(value, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))


def remark(text: str) -> None:
    """A line on standard error."""
    print(f"routebook: {printable(text)}", file=sys.stderr, flush=True)


def printable(value: object) -> str:
    """Text in which a terminal finds nothing to obey: control characters as escapes."""
    if isinstance(value, bool | dict | list):
        value = json.dumps(value, ensure_ascii=False)
    text = "-" if value is None or value == "" else str(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def mark(flag: bool | None) -> str:
    """A flag in a table; None is not known."""
    return {True: "yes", False: "no", None: "?"}[flag]


def sheet(rows: Sequence[tuple[str, object]]) -> None:
    """Names and values, one a line; on a terminal a long value goes on below, between words."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        line = f"{name.ljust(width)}  {printable(value)}".rstrip()
        say(wrapped(line, " " * (width + 2)) if sys.stdout.isatty() else line)


def wrapped(line: str, indent: str) -> str:
    """A line as several that fit the terminal, each but the first indented; no word is broken."""
    return textwrap.fill(
        line,
        shutil.get_terminal_size().columns,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def advising(step: str, *codes: str) -> Iterator[None]:
    """Errors of these codes end with this next step, and not with the one that fits most often."""
    try:
        yield
    except RegistryError as error:
        if error.code in codes:
            error.__notes__ = [step]
        raise


def words_of(error: RegistryError) -> Iterator[str]:
    """The lines for an error: what is wrong, each further place, and what to do."""
    faults = [fault for fault in error.errors if fault.message not in error.detail]
    placed = [f"{fault.pointer or 'the record'}: {fault.message}" for fault in faults]
    first = f"{error.code}: {error.detail}"
    if len(placed) == 1:
        first, placed = f"{first}: {placed[0]}", []
    elif len(error.errors) == 1 and error.errors[0].pointer:
        first = f"{first} ({error.errors[0].pointer})"
    yield f"routebook: {first}"
    yield from (f"  {line}" for line in placed[:_FAULTS_SHOWN])
    if len(placed) > _FAULTS_SHOWN:
        yield f"  and {len(placed) - _FAULTS_SHOWN} more"
    steps = getattr(error, "__notes__", None) or [_NEXT_STEPS.get(error.code)]
    yield from (f"  {step}" for step in steps if step)
