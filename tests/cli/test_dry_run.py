"""`--dry-run` on every verb that writes: what would change is printed, and nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.bodies import body, routed, stored
from tests.api.dry_runs import seed, unchanged
from tests.api.steps import until_problem, until_routed
from tests.cli.conftest import Shell
from tests.cli.test_importing import COMPOSE, TRAEFIK
from tests.daemons import Daemon
from tests.safety.records import record


@pytest.fixture
async def seeded(daemon: Daemon) -> Daemon:
    """A daemon with two environments, and a third that lost its route to one of them."""
    await seed(daemon)
    return daemon


async def printed(seeded: Daemon, shell: Shell, *words: str, stdin: str = "") -> list[str]:
    """The lines of a dry run that would go through."""
    async with unchanged(seeded):
        ended = await shell(*words, "--dry-run", stdin=stdin)
    assert ended.code == 0, ended.err
    return ended.out.splitlines()


async def test_update_shows_the_record_the_routes_and_the_document(
    seeded: Daemon, shell: Shell
) -> None:
    lines = await printed(seeded, shell, "update", "dev", "--router-hostnames", "new.test")
    rule = "/http/routers/env-dev.exact.websecure/rule"
    assert lines == [
        "dry run: nothing is changed",
        "~ dev (env-dev)",
        '    /metadata/router/hostnames: ["dev.test"] -> ["new.test"]',
        "routes",
        "  + new.test/ on websecure: dev -> http://127.0.0.1:9001",
        "  - dev.test/ on websecure: dev -> http://127.0.0.1:9001",
        "document",
        f'  ~ {rule}: "Host(\\"dev.test\\")" -> "Host(\\"new.test\\")"',
    ]


async def test_update_by_set_and_port_is_rehearsed_as_well(seeded: Daemon, shell: Shell) -> None:
    words = ("update", "dev", "--set", "/metadata/team=blue", "--port", "web:80")
    lines = await printed(seeded, shell, *words)
    assert '    /metadata/team: nothing -> "blue"' in lines
    assert "document" not in lines


async def test_what_changes_nothing_is_unchanged(seeded: Daemon, shell: Shell) -> None:
    lines = await printed(seeded, shell, "update", "dev", "--name", "Dev")
    assert lines == ["dry run: nothing is changed", "  dev (env-dev)"]


async def test_create_shows_all_of_it(seeded: Daemon, shell: Shell) -> None:
    given = body("new", environment_id="env-new", **routed("new.test"))
    lines = await printed(seeded, shell, "create", "--from", "-", stdin=json.dumps(given))
    assert "+ new (env-new)" in lines
    assert '    /slug: nothing -> "new"' in lines
    assert "  + new.test/ on websecure: new -> http://127.0.0.1:9001" in lines
    routers = "/http/routers/env-new.exact.websecure"
    assert f'  + {routers}/rule: "Host(\\"new.test\\")"' in lines
    assert f'  + {routers}/entryPoints: ["websecure"]' in lines


async def test_delete_shows_who_gets_the_route(seeded: Daemon, shell: Shell) -> None:
    lines = await printed(seeded, shell, "delete", "older")
    assert "- older (env-older)" in lines
    assert "  + shared.test/ on websecure: younger -> http://127.0.0.1:9001" in lines
    assert "  - old.test/ on websecure: older -> http://127.0.0.1:9001" in lines
    assert any(line.startswith("  - /http/services/env-older/") for line in lines)


async def test_revert_shows_the_state_that_would_come_back(seeded: Daemon, shell: Shell) -> None:
    lines = await printed(seeded, shell, "revert", "dev", "2")
    assert "  + first.test/ on websecure: dev -> http://127.0.0.1:9001" in lines
    await shell("delete", "dev")
    await until_routed(seeded, "dev.test", gone=True)
    assert "+ dev (env-dev)" in await printed(seeded, shell, "revert", "env-dev", "2")
    gone = await printed(seeded, shell, "revert", "env-dev", "5")
    assert gone == ["dry run: nothing is changed"]


async def test_confirm_shows_what_waits(seeded: Daemon, shell: Shell) -> None:
    assert await printed(seeded, shell, "confirm") == ["dry run: nothing is changed"]
    seeded.folders.hand_write(record("new"))
    await until_problem(seeded, "edit_held", None)
    lines = await printed(seeded, shell, "confirm")
    assert {"+ new (env-new)", "- dev (env-dev)", "- older (env-older)"} <= set(lines)
    assert (await shell("update", "dev", "--name", "x", "--dry-run")).code == 1


async def test_apply_shows_records_and_routes(seeded: Daemon, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "environments.json"
    declared = [body("new", **routed("new.test")), stored("dev", **routed("dev.test"))]
    file.write_text(json.dumps(declared))
    lines = await printed(seeded, shell, "apply", "-f", str(file))
    assert "  + new.test/ on websecure: new -> http://127.0.0.1:9001" in lines
    assert lines[-1] == "would be: 1 created, 0 changed, 0 removed, 1 unchanged"


async def test_imports_are_rehearsed_with_apply(
    seeded: Daemon, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "docker-compose.yml").write_text(COMPOSE)
    (tmp_path / "traefik.yml").write_text(TRAEFIK)
    compose = ("import-compose", str(tmp_path / "docker-compose.yml"), "--host", "127.0.0.1")
    traefik = ("import-traefik", str(tmp_path / "traefik.yml"))
    for words, host in ((compose, "shop.test"), (traefik, "app.test")):
        given = (*words, "--project", "nightshift")
        lines = await printed(seeded, shell, *given, "--apply")
        assert any(line.startswith(f"  + {host}/ on ") for line in lines), lines
        wrong = await shell(*given, "--dry-run")
        assert (wrong.code, wrong.out) == (2, "")
        assert "--dry-run goes with --apply" in " ".join(wrong.err.split())


async def test_what_would_be_refused_ends_with_1_and_names_the_holder(
    seeded: Daemon, shell: Shell
) -> None:
    words = ("update", "younger", "--router-hostnames", "dev.test", "--dry-run")
    async with unchanged(seeded):
        ended = await shell(*words)
        as_json = await shell(*words, "--json")
        invalid = await shell("update", "dev", "--router-path-prefix", "x", "--dry-run")
    assert ended.code == as_json.code == invalid.code == 1
    assert (
        "would be refused: route_conflict: dev.test/ on websecure is held by env-dev" in ended.err
    )
    assert "  ! env-younger: dev.test/ on websecure is held by env-dev (dev), " in ended.out
    assert as_json.value["refused"]["holder"]["slug"] == "dev"
    assert "invalid_record" in invalid.err


async def test_as_json_it_is_the_value_of_the_api(seeded: Daemon, shell: Shell) -> None:
    ended = await shell("delete", "dev", "--dry-run", "--json")
    answer = await seeded.call("DELETE", "/api/environments/dev?dry_run=true")
    assert ended.value == answer.value
    ended = await shell("confirm", "--dry-run", "--json")
    assert ended.value["confirmed"] == []


async def test_a_text_in_colour_is_printed_and_not_obeyed(seeded: Daemon, shell: Shell) -> None:
    async with unchanged(seeded):
        ended = await shell("update", "dev", "--name", "\u001b[31mred", "--dry-run")
    assert r'-> "\u001b[31mred"' in ended.out
    assert "\u001b" not in ended.out
