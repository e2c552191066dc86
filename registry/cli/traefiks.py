"""The verb that shows the Traefiks: what was seen of those that are known, and who polls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from registry.cli.tables import section, table
from registry.cli.terminal import AsJson, client_of, mark, printable, remark, say, say_json
from registry.cli.waiting import NOBODY_LOOKS

_KNOWN = (
    "traefik", "version", "reached", "current", "digest", "at_fault", "neighbours", "looked_at",
)  # fmt: skip
_POLLERS = ("poller", "user_agent", "last_poll_at", "current", "held")


def list_traefiks(context: typer.Context, as_json: AsJson = False) -> None:
    """The known Traefiks, and who polls.

    Whether each runs the newest document, and what of it is at fault there.
    """
    client = client_of(context)
    known, router = client.traefiks(), client.router()
    digest, pollers = router["digest"], router["pollers"]
    if as_json:
        say_json({"digest": digest, "traefiks": known, "pollers": pollers})
        return
    say(printable(f"newest document: {digest or 'none'}"))
    if known:
        below = ("reached", "digest", "looked_at", "neighbours", "at_fault")
        table(_KNOWN, [_row(each, digest) for each in known], keys=("traefik",), below=below)
    else:
        say(NOBODY_LOOKS)
    faults = [*_faults(known)]
    names = ("traefik", "router")
    section("routers at fault", (*names, "status", "errors"), faults, keys=names, below=("errors",))
    polling, names = [_poller(each, digest) for each in pollers], ("poller", "last_poll_at")
    section("pollers", _POLLERS, polling, keys=names, below=("user_agent", "held"))
    for each in known:
        if each["refused_since"]:
            since = each["refused_since"]
            remark(f"{each['traefik']} does not take the newest document, sure since {since}")


def _faults(known: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in known:
        for router in each["routers_at_fault"]:
            errors = "; ".join(router["errors"])
            yield {**router, "traefik": each["traefik"], "errors": errors}


def _row(traefik: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    """What was last seen; of one that is not reached it is not known what it runs."""
    reached, runs = traefik["reached"], traefik["live_digest"]
    return {
        **traefik,
        "reached": mark(True) if reached else f"no: {traefik['problem']}",
        "current": mark(digest is not None and runs == digest if reached else None),
        "digest": runs,
        "at_fault": str(len(traefik["routers_at_fault"])),
        "neighbours": str(len(traefik["neighbours"])),
    }


def _poller(poller: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    return {
        **poller,
        "poller": poller["instance"] or poller["remote"],
        "current": mark(poller["digest"] == digest),
        "held": f"left at {poller['gone_at']}" if poller["gone_at"] else mark(poller["held"]),
    }
