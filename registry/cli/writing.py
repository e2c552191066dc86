"""Verbs that write one environment: create, update, delete, revert; and confirm."""

from __future__ import annotations

import copy
import sys
from typing import Annotated, Any

import typer

from registry.cli.fields import Ports, Sets, patch_of, with_field_flags, with_ports, with_values
from registry.cli.terminal import AsJson, Ref, client_of, say, say_json
from registry.errors import RevisionConflict

_TRIES = 5
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
    as_json: AsJson = False,
    **fields: Any,
) -> None:
    """A new environment.

    From flags, from a file, or from a file with flags over it.
    """
    body: dict[str, Any] = {}
    if from_file is not None:
        from registry.cli.declared import read_declared

        declared = read_declared([from_file])
        if len(declared) != 1 or not isinstance(declared[0].value, dict):
            raise typer.BadParameter(f"--from {from_file}: not one record, but {len(declared)}")
        body = dict(declared[0].value)
    body = _with_flags(body, patch_of(fields), port, set_)
    environment = client_of(context).create(body)
    _say_written("created", environment, as_json=as_json)


@with_field_flags
def update(
    context: typer.Context,
    ref: Ref,
    port: Ports = None,
    set_: Sets = None,
    as_json: AsJson = False,
    **fields: Any,
) -> None:
    """Change what is named, and nothing else. An empty text takes a field away."""
    patch = patch_of(fields)
    if not patch and not port and not set_:
        raise typer.BadParameter("name at least one field to change")
    client = client_of(context)
    if not port and not set_:
        _say_written("updated", client.patch(ref, patch), as_json=as_json)
        return
    for attempt in range(1, _TRIES + 1):
        known = client.read(ref)
        wanted = _with_flags(known.value, patch, port, set_)
        try:
            changed = client.patch(ref, _over(_difference(known.value, wanted), patch), known.etag)
        except RevisionConflict:
            if attempt == _TRIES:
                raise
            continue
        _say_written("updated", changed, as_json=as_json)
        return


def delete(context: typer.Context, ref: Ref, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take an environment away.

    Asks on a terminal. Its history stays, and `revert` undoes it.
    """
    if sys.stdin.isatty() and not yes:
        typer.confirm(f"Delete {ref}?", abort=True, err=True)
    client_of(context).delete(ref)
    say_json({"deleted": ref}) if as_json else say(f"{ref} is deleted")


def revert(
    context: typer.Context,
    ref: Ref,
    revision: Annotated[int, typer.Argument(help="as `history` shows it")],
    as_json: AsJson = False,
) -> None:
    """Bring an earlier state back.

    The state after a revision, as a new change; of a deleted environment by its id.
    """
    environment = client_of(context).revert(ref, revision)
    if environment is None:
        say_json({"deleted": ref}) if as_json else say(f"{ref} is deleted, as it was then")
    else:
        _say_written("reverted", environment, as_json=as_json)


def confirm(context: typer.Context, as_json: AsJson = False) -> None:
    """Let a waiting hand edit through.

    One that is held back, or that was older than a write of the API.
    """
    ids = client_of(context).confirm()
    if as_json:
        say_json({"confirmed": ids})
    else:
        say("\n".join(ids) if ids else "nothing waited")


def _say_written(what: str, environment: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(environment)
    else:
        say(f"{environment['slug']} is {what} ({environment['environment_id']})")


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
