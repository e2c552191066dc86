"""The verbs that write, as processes against a running daemon."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.cli.fields import FIELDS
from registry.router_spec import RouterSpec
from registry.schema import Environment
from tests.api.bodies import routed, stored
from tests.api.steps import create, read, until_problem
from tests.cli.conftest import Shell
from tests.daemons import ROOT, Daemon, eventually

DECLARED = """\
environments:
  - project_id: nightshift
    slug: one
    name: One
    host: {hostname: one.test}
    lifecycle: {state: active}
    metadata:
      router: {service_url: "http://127.0.0.1:9001"}
  - project_id: nightshift
    slug: two
    name: Two
    host: {hostname: two.test}
"""


def test_there_is_a_flag_for_every_field_of_the_record() -> None:
    known = {field.path for field in FIELDS}
    for part in ("host", "owner", "lifecycle", "health"):
        model: Any = Environment.model_fields[part].annotation
        names = {field.name for field in dataclasses.fields(model)} - {"changed_at"}
        assert {(part, name) for name in names} <= known
    router = {path[2] for path in known if path[0] == "metadata"}
    assert router == {field.name for field in dataclasses.fields(RouterSpec)}


async def test_create_takes_flags_for_every_part(daemon: Daemon, shell: Shell) -> None:
    words = (
        "--project nightshift --slug dev --name Dev --hostname dev.test --provider compose "
        "--ip 192.0.2.7 --owner-name Ada --owner-email ada@x.test --state active "
        "--health-status healthy --router-hostnames a.test,b.test --router-entrypoints web "
        "--port web:8080/http --router-port web --path-prefix /app --no-router-strip-prefix "
        "--set /metadata/team=blue --set /metadata/level=3"
    )
    ended = await shell("create", *words.split(), "--json")
    assert ended.code == 0, ended.err
    made = await read(daemon, "dev")
    assert made["owner"]["name"] == "Ada"
    assert made["ports"][0]["port"] == 8080
    assert made["metadata"] == {
        "team": "blue",
        "level": 3,
        "router": {
            "hostnames": ["a.test", "b.test"],
            "entrypoints": ["web"],
            "port": "web",
            "path_prefix": "/app",
            "strip_prefix": False,
        },
    }


@pytest.mark.parametrize("ending", ["yaml", "json"])
async def test_create_takes_a_file_with_flags_over_it(
    daemon: Daemon, shell: Shell, tmp_path: Path, ending: str
) -> None:
    record = {
        "project_id": "nightshift",
        "slug": "dev",
        "name": "x",
        "host": {"hostname": "d.test"},
    }
    file = tmp_path / f"record.{ending}"
    file.write_text(json.dumps(record))
    assert (await shell("create", "--from", str(file), "--name", "Over")).code == 0
    assert (await read(daemon, "dev"))["name"] == "Over"
    stdin = json.dumps({**record, "slug": "two"})
    assert (await shell("create", "--from", "-", stdin=stdin)).code == 0


async def test_the_lines_of_the_mission_work_as_printed(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "nightshift-dev", environment_id="env-nightshift-dev")
    environ = {**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"}
    for line in (
        "./scripts/environments.py show nightshift-dev",
        "./scripts/environments.py update nightshift-dev "
        '--health-status healthy --health-notes "Self-test OK"',
        "./scripts/environments.py delete env-nightshift-dev",
    ):
        process = await asyncio.create_subprocess_shell(
            line, cwd=ROOT, env=environ, stdin=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == 0, line
        if "update" in line:
            health = (await read(daemon, "nightshift-dev"))["health"]
            assert (health["status"], health["notes"]) == ("healthy", "Self-test OK")
            assert health["checked_at"]
    assert (await daemon.call("GET", "/api/environments/nightshift-dev")).status == 404


async def test_update_changes_only_what_is_named(daemon: Daemon, shell: Shell) -> None:
    before = await create(daemon, "dev", description="old", **routed("dev.test"))
    words = ["--host-notes", "rack 7", "--description", "", "--router-middlewares", "auth@file"]
    assert (await shell("update", "dev", *words)).code == 0
    after = await read(daemon, "dev")
    assert after["description"] is None
    assert after["host"] == {**before["host"], "notes": "rack 7"}
    assert after["metadata"]["router"] == {
        **before["metadata"]["router"],
        "middlewares": ["auth@file"],
    }


async def test_set_reaches_into_lists_and_takes_keys_away(daemon: Daemon, shell: Shell) -> None:
    ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2}]
    await create(daemon, "dev", ports=ports, metadata={"old": 1, "kept": 2})
    words = ["--set", "/ports/1/port=22", "--set", "/metadata/old=null", "--port", "c:3"]
    ended = await shell("update", "dev", *words)
    assert ended.code == 0, ended.err
    after = await read(daemon, "dev")
    assert [(p["name"], p["port"]) for p in after["ports"]] == [("a", 1), ("b", 22), ("c", 3)]
    assert after["metadata"] == {"kept": 2}
    for wrong in ("ports=1", "/ports/9/port=1", "/x"):
        assert (await shell("update", "dev", "--set", wrong)).code == 2


async def test_delete_asks_nobody_without_a_terminal_and_revert_undoes_it(
    daemon: Daemon, shell: Shell
) -> None:
    made = await create(daemon, "dev")
    environment_id = made["environment_id"]
    assert (await shell("delete", "dev", "--yes")).out == f"dev is deleted ({environment_id})\n"
    assert (await shell("delete", "dev")).code == 1
    revision = (await shell("history", environment_id, "--json")).value["history"][-1]
    ended = await shell("revert", environment_id, str(revision["revision"]))
    assert ended.code == 0, ended.err
    assert (await read(daemon, "dev"))["name"] == made["name"]
    deleted = (await shell("delete", "dev", "--json")).value
    assert deleted == {"deleted": "dev", "environment_id": environment_id}


async def test_delete_takes_a_record_away_that_never_was_good(daemon: Daemon, shell: Shell) -> None:
    daemon.folders.hand_write({**stored("bad"), "name": 7})
    await until_problem(daemon, "invalid_record", "env-bad")
    assert (await shell("delete", "bad")).out == "bad is deleted\n"
    assert daemon.folders.stored() == []


async def test_a_write_that_changes_nothing_says_so(daemon: Daemon, shell: Shell) -> None:
    made = await create(daemon, "dev", description="x")
    said = f"dev is unchanged ({made['environment_id']})\n"
    stored_before = daemon.folders.catalogue.read_bytes()
    for words in (
        ("update", "dev", "--description", "x"),
        ("update", "dev", "--set", "/created_at=2020-01-01T00:00:00Z"),
        ("revert", "dev", "1"),
    ):
        assert (await shell(*words)).out == said, words
    assert daemon.folders.catalogue.read_bytes() == stored_before
    assert "updated" in (await shell("update", "dev", "--description", "y")).out
    assert "reverted" in (await shell("revert", "dev", "1")).out
    await shell("delete", "dev")
    again = await shell("revert", made["environment_id"], "4")
    assert "unchanged: deleted" in again.out, again.err


async def test_nothing_after_the_equals_sign_takes_a_key_away(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", metadata={"old": 1, "kept": 2}, description="x")
    words = ("--set", "/metadata/old=", "--set", "/description=", "--set", '/metadata/empty=""')
    assert (await shell("update", "dev", *words)).code == 0
    after = await read(daemon, "dev")
    assert after["metadata"] == {"kept": 2, "empty": ""}
    assert after["description"] is None


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", '{"a": [NaN]}'])
async def test_a_number_that_json_lacks_is_blamed_on_its_flag(
    daemon: Daemon, shell: Shell, value: str
) -> None:
    await create(daemon, "dev")
    ended = await shell("update", "dev", "--set", f"/metadata/x={value}")
    assert ended.code == 2
    assert "--set" in ended.err
    assert "no number of JSON" in ended.err
    assert (await shell("update", "dev", "--set", '/metadata/x="NaN"')).code == 0


async def test_two_ports_of_one_name_are_blamed_on_their_flag(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev", ports=[{"name": "a", "port": 1}])
    ended = await shell("update", "dev", "--port", "a:2", "--port", "a:3")
    assert ended.code == 2
    assert "--port 'a:3'" in ended.err
    assert (await shell("update", "dev", "--port", "a:2", "--port", "b:3")).code == 0
    assert [each["port"] for each in (await read(daemon, "dev"))["ports"]] == [2, 3]


async def test_apply_creates_and_changes_and_twice_changes_nothing(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    kept = await create(daemon, "other")
    file = tmp_path / "environments.yaml"
    file.write_text(DECLARED)
    dry = await shell("apply", "-f", str(file), "--dry-run")
    assert "would be: 2 created" in dry.out
    assert len((await shell("list", "--json")).value["environments"]) == 1
    assert (await shell("apply", "-f", str(tmp_path), "--json")).value["created"] == 2
    before = daemon.folders.catalogue.read_bytes()
    assert (await shell("apply", "-f", str(file), "--json")).value["unchanged"] == 2
    assert daemon.folders.catalogue.read_bytes() == before
    file.write_text(DECLARED.replace("name: Two", "name: 2nd"))
    changed = await shell("apply", "-f", str(file))
    assert "~ two" in changed.out
    assert '/name: "Two" -> "2nd"' in changed.out
    assert await read(daemon, "other") == kept


async def test_apply_is_all_or_none_and_names_file_line_and_column(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    before = daemon.folders.catalogue.read_bytes()
    file = tmp_path / "environments.yaml"
    file.write_text(DECLARED.replace("hostname: two.test", "hostname: two_/test"))
    ended = await shell("apply", "-f", str(file))
    assert ended.code == 1
    assert f"{file}:12:22: /host/hostname: " in ended.err
    assert daemon.folders.catalogue.read_bytes() == before


async def test_prune_removes_what_the_project_no_longer_declares(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    await create(daemon, "gone")
    await create(daemon, "kept", project_id="storefront")
    file = tmp_path / "environments.yaml"
    file.write_text(DECLARED)
    assert (await shell("apply", "-f", str(file), "--prune")).code == 2
    words = ("apply", "-f", str(file), "--prune", "--project", "nightshift")
    assert "- gone" in (await shell(*words, "--dry-run")).out
    applied = (await shell(*words, "--json")).value
    assert (applied["created"], applied["removed"]) == (2, 1)
    shown = (await shell("list", "--json")).value["environments"]
    assert [each["slug"] for each in shown] == ["kept", "one", "two"]


async def test_a_file_that_declares_nothing_prunes_nothing(daemon: Daemon, shell: Shell) -> None:
    await create(daemon, "dev")
    words = ("apply", "-f", "-", "--prune", "--project", "nightshift")
    for text in ("", "# nothing\n", "a: b: c"):
        assert (await shell(*words, stdin=text)).code == 2
    assert (await shell(*words, stdin="environments: []\n")).code == 0
    assert (await shell("list", "--json")).value["total"] == 0


async def test_what_was_applied_is_retired_at_the_stop(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "environments.yaml"
    file.write_text(DECLARED)
    environ = {**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"}
    words = ("apply", "-f", str(file), "--retire-on-stop")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider", *words), cwd=ROOT, env=environ
    )
    await eventually(lambda: _routed(daemon))
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert (await read(daemon, "one"))["lifecycle"]["state"] == "retired"


async def _routed(daemon: Daemon) -> None:
    answer = await daemon.call("GET", "/api/environments/one")
    assert answer.status == 200
    assert answer.value["lifecycle"]["state"] == "active"
