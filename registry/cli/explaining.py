"""The verb that says why a URL is answered as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from registry.cli.tables import section
from registry.cli.terminal import (
    AsJson,
    advising,
    client_of,
    printable,
    remark,
    say,
    say_json,
    sheet,
)


def explain(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="such as https://app.test/path")],
    entrypoint: Annotated[str | None, typer.Option(help="this one alone")] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="send it through Traefik too, and compare")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Who answers a URL, and why the others do not."""
    client = client_of(context)
    with advising(f"did you mean https://{url}?" if "://" not in url else "", "invalid_record"):
        shown = client.explain(url, entrypoint, probe=probe)
    if as_json:
        say_json(shown)
        return
    for line in _headlines(shown):
        say(printable(line))
    if shown["answer"]:
        sheet(_facts(shown["answer"]))
    for note in shown["notes"]:
        remark(note)
    columns: tuple[str, ...] = ("candidate", "entrypoint", "reason", "message")
    candidates = [*map(_row, shown["candidates"])]
    section("candidates", columns, candidates, keys=("candidate", "reason"), below=("message",))
    columns = ("traefik", "entrypoint", "status", "agrees", "certificate", "note")
    probed, below = [*map(_probed, shown.get("probe", ()))], ("note", "certificate")
    section("probe", columns, probed, keys=("traefik",), below=below)


def _headlines(shown: Mapping[str, Any]) -> Iterator[str]:
    """Who answers; then what other entrypoints say, where they say something else."""
    first = shown["answer"]
    if first is None:
        yield f"nobody answers {shown['url']}{_perhaps(shown['answers'])}"
    else:
        yield f"{_who(first)} {shown['url']} on {first['entrypoint']}"
    for each in shown["answers"]:
        if first and each["entrypoint"] != first["entrypoint"]:
            who = _who(each["answer"]) if each["answer"] else "nobody answers"
            yield f"{who} on {each['entrypoint']}"


def _who(answer: Mapping[str, Any]) -> str:
    if answer["environment"]:
        return f"{answer['slug']} ({answer['environment']}) answers"
    verb = "redirects" if answer["redirect"] else "answers"
    return f"{answer['router']}, which is not ours, {verb}"


def _perhaps(answers: list[Mapping[str, Any]]) -> str:
    others = sorted({name for each in answers for name in each["unless"]})
    return f", unless {', '.join(others)} does" if others else ""


def _facts(answer: Mapping[str, Any]) -> list[tuple[str, object]]:
    """What happens to the request, in the order in which it happens."""
    facts = [
        ("router", f"{answer['router']}, priority {answer['priority']}"),
        ("rule", answer["rule"]),
        ("unless", _listed(answer["unless"], " goes first")),
        ("middlewares", _listed(answer.get("middlewares"))),
        ("takes off", answer.get("strip")),
        ("puts before", answer.get("add")),
        ("upstream", _listed(answer.get("upstreams"))),
        ("is asked for", answer.get("upstream_path")),
        ("as host", answer.get("host_header")),
        ("service", answer.get("service")),
    ]
    return [(name, value) for name, value in facts if value]


def _listed(names: list[str] | None, more: str = "") -> str | None:
    return f"{', '.join(names)}{more}" if names else None


def _row(candidate: Mapping[str, Any]) -> dict[str, Any]:
    name = candidate["slug"] or candidate["environment"] or candidate.get("router")
    return {**candidate, "candidate": name}


def _probed(probe: Mapping[str, Any]) -> dict[str, Any]:
    certificate = probe["certificate"]
    names = ", ".join(certificate["names"]) or certificate["subject"] if certificate else None
    agrees = {True: "yes", False: "no", None: "?"}[probe["agrees"]]
    where = f" to {probe['location']}" if probe["location"] else ""
    note = "; ".join(each for each in (probe["error"], f"{probe['note']}{where}") if each)
    return {**probe, "certificate": names, "agrees": agrees, "note": note}
