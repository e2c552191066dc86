"""Verbs that write one environment: create, update, delete, revert; and confirm."""

from __future__ import annotations

import copy
import sys
from typing import Annotated, Any, NamedTuple

import typer

from registry.cli.fields import (
    Ports,
    Sets,
    naming_flags,
    patch_of,
    with_field_flags,
    with_ports,
    with_values,
)
from registry.cli.foreseen import DryRun, say_foreseen
from registry.cli.terminal import AsJson, Ref, advising, client_of, printable, say, say_json
from registry.cli.waiting import (
    Wait,
    end_unless,
    how_of,
    is_batch_proved,
    is_proved,
    is_withdrawal_proved,
    live_words,
)
from registry.client import Client, How
from registry.errors import NotFound, Quarantined, RevisionConflict

_TRIES = 5
_LEAST = "at least --project, --slug, --name and --hostname"
_WITHDRAWN = "; no known Traefik serves it any more"
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


@with_field_flags
def create(
    context: typer.Context,
    from_file: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="one record as YAML or JSON; - for stdin"),
    ] = None,
    port: Ports = None,
    set_: Sets = None,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
    **fields: Any,
) -> None:
    """A new environment.

    From flags, from a file, or from a file with flags over it.
    """
    how = how_of(dry_run=dry_run, wait_s=wait_s)
    body: dict[str, Any] = {}
    if from_file is not None:
        from registry.cli.declared import read_declared

        declared = read_declared([from_file])
        if len(declared) != 1 or not isinstance(declared[0].value, dict):
            raise typer.BadParameter(f"--from {from_file}: not one record, but {len(declared)}")
        body = dict(declared[0].value)
    body = _with_flags(body, patch_of(fields), port, set_)
    if not body:
        raise typer.BadParameter("a record is needed: --from FILE, or " + _LEAST)
    with naming_flags():
        answer = client_of(context).create(body, how)
    if dry_run:
        say_foreseen(answer, as_json=as_json)
    else:
        _say_written("created", answer, as_json=as_json)


@with_field_flags
def update(
    context: typer.Context,
    ref: Ref,
    port: Ports = None,
    set_: Sets = None,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
    **fields: Any,
) -> None:
    """Change what is named, and nothing else. An empty text takes a field away."""
    how, patch = how_of(dry_run=dry_run, wait_s=wait_s), patch_of(fields)
    if not patch and not port and not set_:
        raise typer.BadParameter("name at least one field to change")
    change = _Change(patch, port, set_)
    with naming_flags():
        before, after = _updated(client_of(context), ref, change, how)
    if dry_run:
        say_foreseen(after, as_json=as_json)
    else:
        what = "unchanged" if _is_same(before, _record(after)) else "updated"
        _say_written(what, after, as_json=as_json)


def delete(
    context: typer.Context,
    ref: Ref,
    yes: Yes = False,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Take an environment away.

    Asks on a terminal. Its history stays, and `revert` undoes it, by the id that is printed.
    """
    how, client = how_of(dry_run=dry_run, wait_s=wait_s), client_of(context)
    if dry_run:
        say_foreseen(client.delete(ref, how).value, as_json=as_json)
        return
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"Delete {ref}?", abort=True, err=True)
    known = _known(client, ref)
    environment_id = known["environment_id"] if known else None
    withdrawn = client.delete(environment_id or ref, how).withdrawn
    if as_json:
        say_json({"deleted": ref, "environment_id": environment_id, **_gone(withdrawn)})
    else:
        named = f" ({environment_id})" if known else ""
        say(printable(f"{ref} is deleted{named}{_WITHDRAWN if withdrawn else ''}"))
    end_unless(is_withdrawal_proved(client, ref, withdrawn))


def revert(
    context: typer.Context,
    ref: Ref,
    revision: Annotated[int, typer.Argument(help="as `history` shows it")],
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Bring an earlier state back.

    The state after a revision, as a new change; of a deleted environment by its id.
    """
    how, client = how_of(dry_run=dry_run, wait_s=wait_s), client_of(context)
    before = None if dry_run else _known(client, ref)
    with advising(
        f"`routebook history {ref}` shows its revisions, `routebook history` all", "not_found"
    ):
        answer = client.revert(ref, revision, how)
    if dry_run:
        say_foreseen(answer.value, as_json=as_json)
        return
    if answer.value is not None:
        what = "unchanged" if before and _is_same(before, _record(answer.value)) else "reverted"
        _say_written(what, answer.value, as_json=as_json)
        return
    if as_json:
        say_json({"deleted": ref, **_gone(answer.withdrawn)})
    else:
        what = "deleted" if before else "unchanged: deleted"
        gone = _WITHDRAWN if answer.withdrawn else ""
        say(printable(f"{ref} is {what}, as it was then{gone}"))
    end_unless(is_withdrawal_proved(client, ref, answer.withdrawn))


def confirm(
    context: typer.Context, dry_run: DryRun = False, wait_s: Wait = None, as_json: AsJson = False
) -> None:
    """Let a waiting hand edit through.

    One that is held back, or that was older than a write of the API.
    """
    answer = client_of(context).confirm(how_of(dry_run=dry_run, wait_s=wait_s))
    if dry_run:
        say_foreseen(answer, as_json=as_json)
        return
    ids, routing = answer["confirmed"], answer.get("routing")
    if as_json:
        say_json(answer)
    else:
        say("\n".join(map(printable, ids)) + live_words(routing) if ids else "nothing waited")
    end_unless(not ids or is_batch_proved(routing, {}))


class _Change(NamedTuple):
    """What `update` is to change: a merge patch, and texts of --port and --set."""

    patch: dict[str, Any]
    ports: list[str] | None
    values: list[str] | None

    def patch_on(self, record: dict[str, Any]) -> dict[str, Any]:
        """All of it as the merge patch on a record as it is."""
        wanted = _with_flags(record, *self)
        over: dict[str, Any] = _over(_difference(record, wanted), self.patch)
        return over


def _updated(
    client: Client, ref: str, change: _Change, how: How, tries: int = _TRIES
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The environment before, and the answer; again, while others write what it was made from."""
    known = client.read(ref)
    if not change.ports and not change.values:
        return known.value, client.patch(ref, change.patch, how)
    try:
        patch = change.patch_on(known.value)
        return known.value, client.patch(ref, patch, how, known.etag)
    except RevisionConflict:
        if tries == 1:
            raise
        return _updated(client, ref, change, how, tries - 1)


def _is_same(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a write changed nothing; probes move the time of a check without one."""
    one, other = (
        {**each, "health": {**each["health"], "checked_at": None}} for each in (before, after)
    )
    return one == other


def _known(client: Client, ref: str) -> dict[str, Any] | None:
    """The environment as it is; None for one that is gone, or never was good."""
    try:
        known: dict[str, Any] = client.read(ref).value
    except (NotFound, Quarantined):
        return None
    return known


def _say_written(what: str, environment: dict[str, Any], *, as_json: bool) -> None:
    """What was done. Ends with exit code 1 where it waited, and it is not live."""
    slug, routing = environment["slug"], environment.get("routing")
    if as_json:
        say_json(environment)
    else:
        live = live_words(routing)
        say(printable(f"{slug} is {what} ({environment['environment_id']}){live}"))
    end_unless(is_proved(slug, routing))


def _record(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "routing"}


def _gone(withdrawn: bool | None) -> dict[str, bool]:
    return {} if withdrawn is None else {"withdrawn": withdrawn}


def _with_flags(
    record: dict[str, Any],
    patch: dict[str, Any],
    ports: list[str] | None,
    values: list[str] | None,
) -> dict[str, Any]:
    whole: dict[str, Any] = _over(copy.deepcopy(record), patch)
    if ports:
        with_ports(whole, ports)
    with_values(whole, values or [])
    return whole


def _over(record: Any, patch: Any) -> Any:
    """As a merge patch, but null is kept: it says that a field is to go."""
    if not isinstance(patch, dict) or not isinstance(record, dict):
        return patch
    return {**record, **{key: _over(record.get(key), value) for key, value in patch.items()}}


def _difference(before: Any, after: Any) -> Any:
    """The merge patch that makes `after` of `before`."""
    patch: dict[str, Any] = {}
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            inner = _difference(old, new)
            patch.update({key: inner} if inner else {})
        elif key not in after or old != new or type(old) is not type(new):
            patch[key] = new
    return patch
