"""`apply`: the catalogue gets the records that files declare, all or none."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.cli.filters import Project
from registry.cli.foreseen import SIGNS, DryRun, say_effects, say_item
from registry.cli.terminal import AsJson, client_of, printable, remark, say, say_json, words_of
from registry.cli.waiting import Wait, end_unless, how_of, is_batch_proved, live_words
from registry.client import Client, How
from registry.errors import RegistryError

if TYPE_CHECKING:
    from registry.cli.declared import Declared

_OTHER = re.compile(r"/environments/(\d+)\b")
RetireOnStop = Annotated[
    bool,
    typer.Option(help="then stay, and at SIGTERM set what was applied to retired"),
]


def apply(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Option("--file", "-f", metavar="FILE|DIR", help="YAML or JSON; - for stdin"),
    ],
    project_id: Project = None,
    prune: Annotated[
        bool, typer.Option(help="remove what the project of --project no longer declares")
    ] = False,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask before pruning")] = False,
    retire_on_stop: RetireOnStop = False,
    as_json: AsJson = False,
) -> None:
    """Create or change declared records.

    All in one transaction, or none; nothing else is touched.
    """
    if prune and project_id is None:
        raise typer.BadParameter("--prune needs --project: the workspace whose other records go")
    from registry.cli.declared import read_declared

    how = how_of(dry_run=dry_run, wait_s=wait_s)
    if retire_on_stop:
        hold_signals()
    declared = read_declared(files)
    client = client_of(context)
    if prune and not dry_run and not yes and sys.stdin.isatty():
        _ask(_applied(client, declared, project_id, How(dry_run=True), prune=True))
    applied = _applied(client, declared, project_id, how, prune=prune)
    _conclude(client, applied, stay=retire_on_stop and not dry_run, as_json=as_json)


def apply_records(
    context: typer.Context, records: Sequence[Any], how: How, *, stay: bool, as_json: bool
) -> None:
    """Apply records that a program made; says what became of them, and may `stay` to retire them.

    Ends with exit code 1 where it waited, and not all of them are live.
    """
    client = client_of(context)
    applied = client.apply(records, None, how, prune=False)
    _conclude(client, applied, stay=stay, as_json=as_json)


def _conclude(client: Client, applied: Mapping[str, Any], *, stay: bool, as_json: bool) -> None:
    _say_applied(applied, as_json=as_json)
    slugs = {item["environment_id"]: item["slug"] for item in applied["results"]}
    proved = is_batch_proved(applied.get("routing"), slugs)
    if stay:
        _retire_at_stop(client, applied)
    end_unless(proved)


def _say_applied(applied: Mapping[str, Any], *, as_json: bool) -> None:
    """What was, or would be, done: a line an environment, its differences below."""
    if as_json:
        say_json(applied)
        return
    for item in applied["results"]:
        if item["action"] != "unchanged":
            shown = item["action"] == "changed" or (
                applied["dry_run"] and item["action"] == "created"
            )
            say_item(item, with_changes=shown)
    if applied["dry_run"]:
        say_effects(applied)
    counts = ", ".join(f"{applied[each]} {each}" for each in SIGNS)
    live = live_words(applied.get("routing"))
    say(f"{'would be: ' if applied['dry_run'] else ''}{counts}{live}")


def _retire_at_stop(client: Client, applied: Mapping[str, Any]) -> None:
    """Wait for SIGTERM or SIGINT, then retire what was applied; its record and history stay."""
    ids = [item["environment_id"] for item in applied["results"] if item["action"] != "removed"]
    remark(f"stays until it is stopped, then retires {len(ids)} environment(s)")
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    for environment_id in ids:
        try:
            client.patch(environment_id, {"lifecycle": {"state": "retired"}})
            say(f"{environment_id} is retired")
        except RegistryError as error:  # deleted meanwhile: the others are retired all the same
            remark(f"{environment_id} is not retired: {error.code}: {error.detail}")


def hold_signals() -> None:
    """A stop from here on waits until what was applied is there to be retired."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))


def _applied(
    client: Client,
    declared: Sequence[Declared],
    project_id: str | None,
    how: How,
    *,
    prune: bool,
) -> dict[str, Any]:
    records = [each.value for each in declared]
    try:
        return client.apply(records, project_id, how, prune=prune)
    except RegistryError as error:
        for line in _with_places(error, declared):
            print(printable(line), file=sys.stderr)
        raise typer.Exit(1) from error


def _with_places(error: RegistryError, declared: Sequence[Declared]) -> Iterable[str]:
    """The error, with the file, line and column of each place that it names."""
    placed = []
    for fault in error.errors:
        _, _, rest = fault.pointer.partition("/environments/")
        index, _, inner = rest.partition("/")
        if index.isdigit() and int(index) < len(declared):
            pointer = f"/{inner}" if inner else ""
            where = declared[int(index)].where(pointer)
            message = _OTHER.sub(partial(_where, declared), fault.message)
            placed.append(f"{where}: {pointer or 'the record'}: {message}")
    if not placed:
        return words_of(error)
    return [f"routebook: {error.code}: {error.detail.partition(': ')[0]}", *placed]


def _where(declared: Sequence[Declared], found: re.Match[str]) -> str:
    """A record that a message names by its place in the batch, by that in its file."""
    index = int(found[1])
    return declared[index].where("") if index < len(declared) else found[0]


def _ask(applied: Mapping[str, Any]) -> None:
    removed = [item["slug"] for item in applied["results"] if item["action"] == "removed"]
    if removed:
        typer.confirm(f"Remove {', '.join(map(printable, removed))}?", abort=True, err=True)
