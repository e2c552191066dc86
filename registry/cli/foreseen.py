"""What a dry run found, for people: records, routes, conflicts, and places of the document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from registry.cli.terminal import printable, remark, say, say_json

DryRun = Annotated[bool, typer.Option("--dry-run", help="print the difference, change nothing")]
SIGNS = {"created": "+", "changed": "~", "removed": "-", "unchanged": " "}
_STAMPS = ("/created_at", "/updated_at")


def say_foreseen(found: Mapping[str, Any], *, as_json: bool) -> None:
    """What a write would change. Ends with exit code 1 where it would be refused."""
    if as_json:
        say_json(found)
    else:
        say("dry run: nothing is changed")
        for item in _items(found):
            say_item(item, with_changes=item["action"] in ("created", "changed"))
        say_effects(found)
    refused = found["refused"]
    if refused:
        remark(f"would be refused: {refused['code']}: {refused['detail']}")
        raise typer.Exit(1)


def say_item(item: Mapping[str, Any], *, with_changes: bool) -> None:
    """One record: what is done to it, and below its changes."""
    say(printable(f"{SIGNS[item['action']]} {item['slug']} ({item['environment_id']})"))
    for change in item["changes"] if with_changes else ():
        if change["pointer"] not in _STAMPS:
            say(printable(f"    {_change(change)}"))


def say_effects(found: Mapping[str, Any]) -> None:
    """What Traefik would see of it, where it would see anything."""
    routes = [
        *(f"+ {_route(route)}" for route in found["routes_won"]),
        *(f"- {_route(route)}" for route in found["routes_lost"]),
    ]
    _section("routes", routes)
    _section("conflicts", [f"! {each['loser']}: {each['message']}" for each in found["conflicts"]])
    _section("document", [line for each in found["document_diff"] for line in _lines(each)])


def _section(title: str, lines: Sequence[str]) -> None:
    if lines:
        say("\n".join([title, *(f"  {printable(line)}" for line in lines)]))


def _items(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The records of a dry run: of one write its environment, as it was or would be."""
    if "results" in found:
        return list(found["results"])
    changes, environment = found["changes"], found["environment"]
    before = {each["pointer"]: each["before"] for each in changes if "before" in each}
    named = environment or {key: before.get(f"/{key}") for key in ("environment_id", "slug")}
    if environment is None:
        action = "removed" if changes else "unchanged"
    elif changes:
        action = "changed" if before else "created"
    else:
        action = "unchanged"
    return [{**named, "action": action, "changes": changes}] if named["slug"] else []


def _route(route: Mapping[str, Any]) -> str:
    where = f"{route['host']}{route['path_prefix']} on {route['entrypoint']}"
    return f"{where}: {route['slug']} -> {', '.join(route['upstreams'])}"


def _lines(change: Mapping[str, Any]) -> Iterator[str]:
    """A place of the document; of what comes or goes as a whole each value."""
    if "before" in change and "after" in change:
        yield f"~ {_change(change)}"
    for side, sign in (("before", "-"), ("after", "+")):
        if side in change and len({"before", "after"} & change.keys()) == 1:
            for pointer, value in _leaves(change["pointer"], change[side]):
                yield f"{sign} {pointer}: {_json(value)}"


def _leaves(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{pointer}/{key}", inner)
    else:
        yield pointer, value


def _change(change: Mapping[str, Any]) -> str:
    before, after = (
        _json(change[side]) if side in change else "nothing" for side in ("before", "after")
    )
    return f"{change['pointer'] or 'the record'}: {before} -> {after}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
