"""`--wait` on the verbs that write: what was seen of the Traefiks after the write."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from registry.cli.terminal import remark
from registry.client import Client, How

WAIT_S_MAX = 30
Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        help=f"then wait until Traefik serves it, {WAIT_S_MAX} at most; 1 where it does not",
    ),
]
NOBODY_LOOKS = (
    "no Traefik is known, so nobody looks: set ROUTEBOOK_TRAEFIK_API of the daemon to the "
    "address of Traefik's API"
)
# Why an environment is not to be served: as wished, and no fault.
_NOTHING = ("lifecycle_state", "not_routed", "deleted", "claims_nothing")
_LIVE = {"False": "not live", "Unknown": "not known to be live"}


def how_of(*, dry_run: bool, wait_s: float | None) -> How:
    """How to write, as the flags say it. Raises BadParameter."""
    if wait_s is not None and (math.isnan(wait_s) or not 0 <= wait_s <= WAIT_S_MAX):
        raise typer.BadParameter(f"--wait {wait_s:g}: 0 to {WAIT_S_MAX} seconds")
    if wait_s is not None and dry_run:
        raise typer.BadParameter("--wait does not go with --dry-run: nothing is written")
    return How(dry_run, wait_s)


def claims_nothing(routing: Mapping[str, Any]) -> bool:
    """Whether an environment, by its routing in short, is not to be served, as wished."""
    return routing["published"] is False and routing["reason"] in _NOTHING


def live_words(routing: Mapping[str, Any] | None) -> str:
    """What the line about a write goes on with, when it waited and all of it is served."""
    is_live = routing and routing["live"] and routing["reason"] == "live"
    return "; live on every known Traefik" if is_live else ""


def end_unless(proved: bool) -> None:
    """Ends with exit code 1: what was written is saved, and not live."""
    if not proved:
        raise typer.Exit(1)


def is_proved(name: str, routing: Mapping[str, Any] | None) -> bool:
    """Whether a write that waited is served as it is to be; says why not on standard error."""
    if routing is None or routing["live"]:
        return True
    if _is_gone(routing):
        remark(f"{name} claims no route, and no known Traefik serves it: {routing['message']}")
        return True
    for line in _why_not(name, routing):
        remark(line)
    return False


def is_batch_proved(routing: Mapping[str, Any] | None, slugs: Mapping[str, str]) -> bool:
    """As `is_proved`, of several; `slugs` are their names by id, where they are known."""
    if routing is None:
        return True
    if routing["live"] and routing["reason"] in _NOTHING:
        remark(f"no known Traefik serves any: {routing['message']}")
    lines = [
        line
        for each in routing["not_live"]
        for line in _why_not(slugs.get(each["environment_id"], each["environment_id"]), each)
    ]
    for line in dict.fromkeys(lines):
        remark(line)
    return bool(routing["live"])


def is_withdrawal_proved(client: Client, name: str, withdrawn: bool | None) -> bool:
    """Whether a deletion that waited was seen by every Traefik; says why not."""
    if withdrawn is False:
        known = [each["traefik"] for each in client.traefiks()]
        where = f"still served, or was not seen, on one of {', '.join(known)}"
        remark(f"{name} is deleted, but {where if known else f'no_traefik_known: {NOBODY_LOOKS}'}")
    return withdrawn is not False


def _is_gone(routing: Mapping[str, Any]) -> bool:
    """Whether it is not to be served, and each known Traefik was seen not to."""
    reasons = {each["reason"] for each in routing["traefiks"]}
    return claims_nothing(routing) and reasons == {routing["reason"]}


def _why_not(name: str, routing: Mapping[str, Any]) -> Iterator[str]:
    """A line for each Traefik that does not serve it, or that still does."""
    if not routing["traefiks"]:
        yield f"saved, but not proved to be live: no_traefik_known: {NOBODY_LOOKS}"
    for each in routing["traefiks"]:
        if each["status"] != "True":
            what = f"{_LIVE[each['status']]} on {each['traefik']}"
            yield f"{name} is saved, but {what}: {each['reason']}: {each['message']}"
