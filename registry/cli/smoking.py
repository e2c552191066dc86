"""The verb that makes a workspace's smoke tests, and records health from their outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

import typer

from registry.cli.tables import table
from registry.cli.terminal import AsJson, Ref, client_of, printable, remark, say, say_json

_NOTES_LENGTH_MAX = 2000


def smoke(
    context: typer.Context,
    ref: Ref,
    base_url: Annotated[
        str | None, typer.Option(help="what relative URLs of tests are put onto")
    ] = None,
    no_record: Annotated[bool, typer.Option("--no-record", help="change nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the workspace's smoke tests.

    Requests their URLs from here, and records health: `healthy` when every URL is good, `offline`
    when none is, else `degraded`. Commands are printed for you to run, never run. Exits with 1
    when a test failed.
    """
    client = client_of(context)
    environment = client.read(ref).value
    tests = (environment["project"] or {}).get("smoke_tests", ())
    urls = _absolute(tests, base_url)
    results = [_result(test["name"], url) for test, url in urls]
    status = status_of([each["good"] for each in results])
    recorded = None if no_record else status
    if recorded is not None:
        health = {"status": recorded, "notes": notes_of(results)}
        client.patch(environment["environment_id"], {"health": health})
    commands = [
        {"name": test["name"], "command": test["command"]} for test in tests if test["command"]
    ]
    outcome = {
        "environment_id": environment["environment_id"],
        "slug": environment["slug"],
        "results": results,
        "commands": commands,
        "status": status,
        "recorded": recorded is not None,
    }
    if as_json:
        say_json(outcome)
    else:
        _say(outcome)
    if not all(each["good"] for each in results):
        raise typer.Exit(1)


def status_of(outcomes: Sequence[bool]) -> str | None:
    """The health that requests speak for; None without any."""
    if not outcomes:
        return None
    return "healthy" if all(outcomes) else "degraded" if any(outcomes) else "offline"


def notes_of(results: Sequence[Mapping[str, Any]]) -> str:
    """What failed, for `health.notes`."""
    failed = [f"{each['name']}: {each['detail']}" for each in results if not each["good"]]
    notes = f"smoke tests: {len(results) - len(failed)} of {len(results)} good"
    notes = "; ".join([notes, *failed])
    return notes if len(notes) <= _NOTES_LENGTH_MAX else f"{notes[: _NOTES_LENGTH_MAX - 1]}…"


def _absolute(
    tests: Sequence[Mapping[str, Any]], base_url: str | None
) -> list[tuple[Mapping[str, Any], str]]:
    """Each test that has a URL, with the URL to ask for. Nothing is asked before all are known."""
    from registry.connection import is_plain_url

    if base_url is not None and not is_plain_url(base_url):
        raise typer.BadParameter("--base-url: not a URL such as https://app.test")
    urls = []
    for test in tests:
        url = test["url"]
        if url and not _has_scheme(url):
            if base_url is None:
                raise typer.BadParameter(
                    f"the URL of {printable(test['name'])} is relative: name its --base-url"
                )
            url = urljoin(base_url, url)
        if url:
            urls.append((test, url))
    return urls


def _has_scheme(url: str) -> bool:
    try:
        return bool(urlsplit(url).scheme)
    except ValueError:
        return True  # brackets that do not close: the request says so


def _result(name: str, url: str) -> dict[str, Any]:
    from registry.cli.url_request import request

    found = request(url)
    return {
        "name": name,
        "url": url,
        "good": found.is_good,
        "status": found.status,
        "detail": found.detail,
    }


def _say(outcome: Mapping[str, Any]) -> None:
    results = [
        {**each, "result": "good" if each["good"] else "failed"} for each in outcome["results"]
    ]
    if results:
        table(
            ("name", "result", "status", "url", "detail"),
            results,
            keys=("url",),
            below=("detail", "url"),
        )
    else:
        say("no smoke test of the workspace has a URL: nothing is recorded")
    if outcome["commands"]:
        say("\nto run yourself")
        for each in outcome["commands"]:
            say(f"  {printable(each['name'])}: {printable(each['command'])}")
    if outcome["recorded"]:
        remark(f"{outcome['slug']} is recorded as {outcome['status']}")
