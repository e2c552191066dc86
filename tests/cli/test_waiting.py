"""`--wait`, as processes against a daemon that knows a Traefik, and one that knows none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.steps import create, read, until_problem, until_routed
from tests.cli.conftest import Shell
from tests.cli.test_importing import COMPOSE
from tests.conftest import StartDaemon
from tests.daemons import ROOT, Daemon, eventually
from tests.fake_traefik import FakeTraefik

LIVE = "; live on every known Traefik"
LONG, SHORT = ("--wait", "20"), ("--wait", "0.3")
COMPOSE_WORDS = ("--project", "nightshift", "--host", "127.0.0.1", "--apply")


@pytest.fixture
async def traefik() -> AsyncIterator[FakeTraefik]:
    """A Traefik that runs every document at once."""
    async with FakeTraefik(digest=None, follows=True).serving() as fake:
        yield fake


@pytest.fixture
async def daemon(start_daemon: StartDaemon, traefik: FakeTraefik) -> Daemon:
    """A daemon that looks at it."""
    return await start_daemon(f"--traefik-api={traefik.url}")


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    """A compose file with one service that is routed."""
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE)
    return file


def text(slug: str, state: str = "active", host: str | None = None) -> str:
    """A record that is routed in this state, as JSON."""
    return json.dumps(body(slug, **routed(host or f"{slug}.test", state=state)))


async def test_each_write_ends_with_0_and_says_that_it_is_live(
    daemon: Daemon, shell: Shell, compose: Path
) -> None:
    made = await shell("create", "--from", "-", *LONG, stdin=text("dev"))
    assert made.out.endswith(f"){LIVE}\n")
    assert (made.code, made.err) == (0, "")
    record = await read(daemon, "dev")
    for words in (
        ("update", "dev", "--router-hostnames", "new.test"),
        ("revert", "dev", "1"),
        ("apply", "-f", "-"),
        ("import-compose", str(compose), *COMPOSE_WORDS),
    ):
        stdin = text("two") if words[0] == "apply" else ""
        ended = await shell(*words, *LONG, stdin=stdin)
        assert (ended.code, ended.out.splitlines()[-1].endswith(LIVE)) == (0, True), ended
    gone = await shell("delete", "dev", *LONG)
    assert gone.code == 0
    environment_id = record["environment_id"]
    assert gone.out == f"dev is deleted ({environment_id}); no known Traefik serves it any more\n"


async def test_a_confirmed_hand_edit_is_awaited_too(daemon: Daemon, shell: Shell) -> None:
    made = await create(daemon, "dev", **routed("dev.test"))
    [old_copy] = daemon.folders.stored()
    await shell("update", "dev", "--router-hostnames", "new.test")
    daemon.folders.hand_write(old_copy)
    await until_problem(daemon, "stale_edit", made["environment_id"])
    ended = await shell("confirm", *LONG)
    assert (ended.code, ended.out) == (0, f"{made['environment_id']}{LIVE}\n"), ended.err
    assert (await shell("confirm", *LONG)).out == "nothing waited\n"


async def test_environments_that_a_confirmed_edit_took_away_are_served_no_more(
    daemon: Daemon, shell: Shell
) -> None:
    daemon.folders.hand_write(*(stored(each, **routed(f"{each}.test")) for each in ("one", "two")))
    await until_routed(daemon, "one.test", "two.test")
    daemon.folders.hand_write(stored("new", **routed("new.test")))
    await until_problem(daemon, "edit_held", None)
    ended = await shell("confirm", *LONG)
    assert (ended.code, ended.out) == (0, "env-one\nenv-two\n")
    assert "none of them claims a route" in ended.err


async def test_what_was_unchanged_is_still_called_so(daemon: Daemon, shell: Shell) -> None:
    made = await create(daemon, "dev", **routed("dev.test"))
    said = f"dev is unchanged ({made['environment_id']}){LIVE}\n"
    assert (await shell("update", "dev", "--name", "Dev", *LONG)).out == said
    assert (await shell("revert", "dev", "1", *LONG)).out == said


async def test_a_write_that_traefik_does_not_take_is_done_and_exit_code_1(
    daemon: Daemon, shell: Shell, traefik: FakeTraefik, compose: Path
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    assert (await shell("update", "dev", "--description", "x", *LONG)).code == 0
    traefik.follows = False
    ended = await shell("update", "dev", "--router-hostnames", "new.test", *SHORT)
    assert (ended.code, ended.out.count("dev is updated")) == (1, 1)
    assert f"dev is saved, but not live on {traefik.url}: pending: it still runs" in ended.err
    assert LIVE not in ended.out
    applied = await shell("apply", "-f", "-", *SHORT, stdin=text("two"))
    assert applied.code == 1
    assert "1 created, 0 changed, 0 removed, 0 unchanged\n" in applied.out
    assert f"two is saved, but not live on {traefik.url}: pending: " in applied.err
    imported = await shell("import-compose", str(compose), *COMPOSE_WORDS, *SHORT)
    assert (imported.code, "shop-web is saved, but not live" in imported.err) == (1, True)
    gone = await shell("delete", "dev", *SHORT)
    assert (gone.code, gone.out.startswith("dev is deleted (")) == (1, True)
    assert f"dev is deleted, but still served, or was not seen, on one of {traefik.url}" in gone.err
    assert "any more" not in gone.out


async def test_a_router_that_traefik_does_not_run_is_told_in_its_words(
    daemon: Daemon, shell: Shell, traefik: FakeTraefik
) -> None:
    traefik.fault("env-dev", "middleware \u001b[31m does not exist")
    record = json.dumps({**body("dev", **routed("dev.test")), "environment_id": "env-dev"})
    ended = await shell("create", "--from", "-", *LONG, stdin=record)
    assert (ended.code, "dev is created" in ended.out) == (1, True)
    assert f"not live on {traefik.url}: router_disabled: router env-dev.exact" in ended.err
    assert r"middleware \x1b[31m does not exist" in ended.err


async def test_a_traefik_that_does_not_answer_is_not_known_to_serve(
    daemon: Daemon, shell: Shell, traefik: FakeTraefik
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    traefik.broken = True

    async def noticed() -> None:
        [seen] = (await daemon.call("GET", "/api/traefiks")).value["traefiks"]
        assert not seen["reached"]

    await eventually(noticed)
    ended = await shell("update", "dev", "--router-hostnames", "new.test", *SHORT)
    assert ended.code == 1
    assert f"dev is saved, but not known to be live on {traefik.url}" in ended.err
    assert "traefik_unreachable: its API answers with status 500" in ended.err


async def test_what_claims_nothing_is_0_with_a_remark(daemon: Daemon, shell: Shell) -> None:
    planned = await shell("create", "--from", "-", *LONG, stdin=text("dev", "planned"))
    assert (planned.code, LIVE in planned.out) == (0, False)
    assert "dev claims no route, and no known Traefik serves it: a planned" in planned.err
    assert (await shell("update", "dev", "--state", "active", *LONG)).out.endswith(f"{LIVE}\n")
    retired = await shell("update", "dev", "--state", "retired", *LONG)
    assert (retired.code, "a retired environment claims no route" in retired.err) == (0, True)
    bare = await shell("create", "--from", "-", *LONG, stdin=json.dumps(body("bare")))
    assert (bare.code, "it has no metadata.router" in bare.err) == (0, True)
    batch = await shell("apply", "-f", "-", *LONG, stdin=text("dev", "retired"))
    assert (batch.code, LIVE in batch.out) == (0, False)
    assert "none of them claims a route" in batch.err


async def test_a_retired_one_that_is_still_served_is_1(
    daemon: Daemon, shell: Shell, traefik: FakeTraefik
) -> None:
    await shell("create", "--from", "-", *LONG, stdin=text("dev"))
    traefik.follows = False
    ended = await shell("update", "dev", "--state", "retired", *SHORT)
    assert (ended.code, "withdrawing: " in ended.err) == (1, True)


async def test_a_record_of_a_batch_that_lost_its_routes_is_not_taken_for_live(
    daemon: Daemon, shell: Shell
) -> None:
    older = stored("older", **routed("dev.test"))
    younger = stored("younger", **routed("dev.test"), created_at="2026-02-01T00:00:00Z")
    daemon.folders.hand_write(older, younger)
    await until_problem(daemon, "route_conflict", "env-younger")
    ended = await shell("apply", "-f", "-", *LONG, stdin=json.dumps([older, younger]))
    assert ended.code == 1, ended
    assert "younger is saved, but not live" in ended.err
    assert "route_conflict" in ended.err


async def test_without_a_known_traefik_nothing_is_proved_and_the_setting_is_named(
    start_daemon: StartDaemon, traefik: FakeTraefik, shell: Shell, daemon: Daemon
) -> None:
    await daemon.stop()
    alone = await start_daemon()
    url = {"AGENT_API_URL": f"http://127.0.0.1:{alone.port}"}
    for words, stdin in (
        (("create", "--from", "-"), text("dev")),
        (("update", "dev", "--name", "New"), ""),
        (("apply", "-f", "-"), text("two", "planned")),
        (("delete", "dev"), ""),
    ):
        ended = await shell(*words, "--wait", "20", stdin=stdin, **url)
        assert (ended.code, ended.out != "") == (1, True), words
        assert "no_traefik_known" in ended.err
        assert ended.err.count("ROUTEBOOK_TRAEFIK_API") == 1
    assert [each["slug"] for each in alone.folders.stored()] == ["two"]


async def test_json_is_the_value_of_the_api_and_the_exit_code_the_same(
    daemon: Daemon, shell: Shell, traefik: FakeTraefik
) -> None:
    made = await shell("create", "--from", "-", "--json", *LONG, stdin=text("dev"))
    assert (made.code, made.value["routing"]["live"]) == (0, True)
    assert made.value["routing"]["traefiks"][0]["traefik"] == traefik.url
    batch = await shell("apply", "-f", "-", "--json", *LONG, stdin=text("dev"))
    assert batch.value["routing"]["not_live"] == []
    traefik.follows = False
    late = await shell("apply", "-f", "-", "--json", *SHORT, stdin=text("two"))
    assert (late.code, late.value["routing"]["live"]) == (1, False)
    gone = await shell("delete", "two", "--json", "--wait", "20")
    assert (gone.code, gone.value["withdrawn"]) == (0, True)


async def test_wrong_seconds_and_a_dry_run_are_wrong_usage(shell: Shell) -> None:
    for words in (
        ("--wait", "31"),
        ("--wait", "-1"),
        ("--wait", "nan"),
        ("--wait", "x"),
        ("--wait", "1", "--dry-run"),
    ):
        for verb in (("update", "dev", "--name", "x"), ("delete", "dev"), ("confirm",)):
            ended = await shell(*verb, *words)
            assert (ended.code, ended.out) == (2, ""), words
            assert "--wait" in ended.err


async def test_an_import_that_only_prints_has_nothing_to_wait_for(
    shell: Shell, compose: Path
) -> None:
    words = ("import-compose", str(compose), *COMPOSE_WORDS[:-1])
    ended = await shell(*words, "--wait", "1")
    assert (ended.code, "--wait goes with --apply" in " ".join(ended.err.split())) == (2, True)


async def test_what_lists_say_of_routing_is_ignored_when_it_comes_back(
    daemon: Daemon, shell: Shell
) -> None:
    await shell("create", "--from", "-", *LONG, stdin=text("dev"))
    assert "routing" not in (await shell("export", "--json")).value["environments"][0]
    listed = await shell("list", "--json")
    assert listed.value["environments"][0]["routing"]["live"] is True
    shown = json.dumps(listed.value["environments"])
    again = await shell("apply", "-f", "-", "--json", stdin=shown)
    assert (again.code, again.value["unchanged"]) == (0, 1), again.err


async def test_one_that_stays_retires_what_was_not_live_too_and_ends_with_1(
    daemon: Daemon, traefik: FakeTraefik, tmp_path: Path
) -> None:
    traefik.follows = False
    file = tmp_path / "environments.json"
    file.write_text(text("dev"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider", "apply", "-f", str(file), "--retire-on-stop", *SHORT),
        cwd=ROOT,
        env={**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    assert b"dev is saved, but not live on" in await process.stderr.readline()
    assert b"stays until it is stopped" in await process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 1
    assert (await read(daemon, "dev"))["lifecycle"]["state"] == "retired"
