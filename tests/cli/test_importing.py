"""`import-compose` and `import-traefik`, as processes; the shipped compose file among them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import yaml

from tests.api.steps import read, slugs
from tests.cli.conftest import Shell
from tests.daemons import ROOT, Daemon, eventually

COMPOSE = """\
name: shop
services:
  web:
    image: shop/web
    ports: ["${WEB_PORT:-8080}:80"]
    labels: ["routebook.hostnames=shop.test", "routebook.odd=1"]
  database:
    image: postgres
    ports: ["5432:5432"]
"""
TRAEFIK = """\
http:
  routers:
    app: {rule: "Host(`app.test`)", service: app, entryPoints: [web]}
    inside: {rule: "Host(`in.test`) && ClientIP(`10.0.0.0/8`)", service: app}
  services:
    app: {loadBalancer: {servers: [{url: "http://10.0.0.5:8080"}]}}
"""


async def test_a_compose_file_becomes_what_apply_takes(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE)
    (tmp_path / ".env").write_text("WEB_PORT=9001\n")
    words = ("import-compose", str(file), "--project", "nightshift", "--host", "127.0.0.1")
    printed = await shell(*words)
    assert printed.code == 0
    assert "routebook.odd" in printed.err
    record = yaml.safe_load(printed.out)["environments"][0]
    assert record["ports"][0]["port"] == 9001
    assert record["host"] == {
        "hostname": "127.0.0.1",
        "provider": "compose",
        "region": "local",
        "ip": "127.0.0.1",
    }
    assert (await shell("apply", "-f", "-", stdin=printed.out)).code == 0
    assert await slugs(daemon) == ["shop-web"]
    assert (await shell(*words, "--apply", "--json")).value["unchanged"] == 1
    assert (await shell(*words, WEB_PORT="9002")).out.count("9002") == 1


async def test_a_traefik_file_becomes_records_and_says_what_it_left_out(
    daemon: Daemon, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "dynamic.yml"
    file.write_text(TRAEFIK)
    words = ("import-traefik", str(file), "--project", "nightshift")
    ended = await shell(*words, "--json")
    assert ended.code == 0
    assert [each["slug"] for each in ended.value["environments"]] == ["app"]
    assert "http.routers.inside: left out" in ended.err
    assert (await shell(*words, "--apply")).code == 0
    made = await read(daemon, "app")
    assert (made["host"]["hostname"], made["host"]["provider"]) == ("10.0.0.5", "traefik")
    assert made["lifecycle"]["state"] == "active"


async def test_what_is_no_yaml_is_named_with_line_and_column(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text("services:\n  web: [\n")
    ended = await shell("import-compose", str(file), "--project", "x", "--host", "h")
    assert ended.code == 2
    assert f"{file}:3:1: " in ended.err
    for words in (["nowhere.yml"], [str(tmp_path)]):
        ended = await shell("import-traefik", *words, "--project", "x")
        assert ended.code == 2
        assert "Traceback" not in ended.err


async def test_the_shipped_stack_registers_at_up_and_retires_at_down(daemon: Daemon) -> None:
    compose = yaml.safe_load((ROOT / "deploy/traefik/docker-compose.yml").read_text())
    stack = str(ROOT / "deploy/traefik/docker-compose.yml")
    environ = {**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"}

    async def start(service: str) -> asyncio.subprocess.Process:
        words = [stack if w == "/stack.yml" else w for w in compose["services"][service]["command"]]
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "provider", *words), cwd=ROOT, env=environ
        )

    assert await (await start("register")).wait() == 0
    assert (await read(daemon, "whoami"))["lifecycle"]["state"] == "active"
    await daemon.call("PATCH", "/api/environments/whoami", json={"lifecycle": {"state": "planned"}})
    staying = await start("retire")

    async def is_active() -> None:
        assert (await read(daemon, "whoami"))["lifecycle"]["state"] == "active"

    await eventually(is_active, timeout_s=30)
    staying.send_signal(signal.SIGTERM)
    assert await staying.wait() == 0
    assert (await read(daemon, "whoami"))["lifecycle"]["state"] == "retired"


async def test_a_flag_that_would_spoil_every_record_is_wrong_usage(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(COMPOSE)
    good = {"--project": "nightshift", "--host": "h.test", "--state": "active"}
    for flag, wrong in (("--project", ""), ("--host", "bad host"), ("--state", "bogus")):
        words = [word for pair in {**good, flag: wrong}.items() for word in pair]
        ended = await shell("import-compose", str(file), *words)
        assert (ended.code, ended.out) == (2, ""), flag
