"""`routebook serve` from a shell: its help, its settings, and how it refuses wrong ones."""

from __future__ import annotations

import asyncio
import socket
import sys

import aiohttp
import pytest

from provider.settings import Settings, read_settings
from tests.conftest import StartProcess
from tests.daemons import ROOT, call


async def output(*arguments: str) -> tuple[int, str]:
    """Exit code and output of `routebook` with these arguments."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "provider", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_help_names_the_verbs() -> None:
    code, said = await output("--help")
    assert code == 0
    assert "serve" in said
    assert "demo" in said


async def test_serve_help_lists_every_setting() -> None:
    code, said = await output("serve", "--help")
    assert code == 0
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in said


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--listen", "8700"], "listen"),
        (["--listen", "127.0.0.1:70000"], "listen"),
        (["--listen", "0.0.0.0:8700"], "listen"),
        (["--listen", "192.0.2.7:8700"], "listen"),
        (["--hold-s", "61"], "hold_s"),
        (["--hold-s", "-1"], "hold_s"),
        (["--hold-s", "long"], "hold_s"),
        (["--stale-health-s", "0"], "stale_health_s"),
        (["--traefik-api", "127.0.0.1:8080"], "traefik_api"),
        (["--middleware-provider", ""], "middleware_provider"),
        (["--lissten", "127.0.0.1:8700"], "--lissten"),
        (["data"], "data"),
        (["--allowed-hosts"], "--allowed-hosts"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
async def test_a_wrong_setting_exits_with_2_and_is_named(
    start_process: StartProcess, flags: list[str], named: str
) -> None:
    process = await start_process(*flags, listening=False)
    assert await process.ended() == 2
    assert process.said.startswith("routebook: wrong setting: ")
    assert named in process.said
    assert "Traceback" not in process.said


@pytest.mark.parametrize(
    "flags",
    [
        ["--traefik-api", "http://127.0.0.1:99999"],
        ["--traefik-api", "http://["],
        ["--listen", "127.0.0.1:\u00b2"],
    ],
    ids=" ".join,
)
async def test_a_setting_that_does_not_even_parse_exits_with_2_too(
    start_process: StartProcess, flags: list[str]
) -> None:
    process = await start_process(*flags, listening=False)
    assert await process.ended() == 2
    assert flags[0].strip("-").replace("-", "_") in process.said


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROUTEBOOK_TRAEFIK_API", "nowhere"), ("ROUTEBOOK_HOLD_S", "99"), ("ROUTEBOOK_LISSTEN", "")],
)
async def test_a_wrong_or_misspelt_variable_exits_with_2_and_is_named(
    start_process: StartProcess, name: str, value: str
) -> None:
    process = await start_process(environ={name: value}, listening=False)
    assert await process.ended() == 2
    assert name.removeprefix("ROUTEBOOK_").lower() in process.said.lower()


async def test_a_variable_sets_what_no_flag_sets(start_process: StartProcess) -> None:
    kubernetes = {"ROUTEBOOK_SERVICE_HOST": "10.0.0.1", "ROUTEBOOK_PORT_80_TCP": "tcp://10.0.0.1"}
    process = await start_process(
        "--hold-s", "1", environ={"ROUTEBOOK_ALLOWED_HOSTS": "a.test,b.test", **kubernetes}
    )
    async with aiohttp.ClientSession(process.url) as session:
        for host, status in (("b.test", 200), ("c.test", 403)):
            answer = await call(session, "GET", "/healthz", headers={"Host": host})
            assert answer.status == status


async def test_a_flag_wins_over_its_variable(start_process: StartProcess) -> None:
    process = await start_process(
        "--allowed-hosts", "flag.test", environ={"ROUTEBOOK_ALLOWED_HOSTS": "variable.test"}
    )
    async with aiohttp.ClientSession(process.url) as session:
        for host, status in (("flag.test", 200), ("variable.test", 403)):
            answer = await call(session, "GET", "/healthz", headers={"Host": host})
            assert answer.status == status


async def test_a_port_that_is_taken_exits_with_1_and_says_which(
    start_process: StartProcess,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = await start_process("--listen", address, listening=False)
        assert await process.ended() == 1
    assert f"cannot listen on {address}" in process.said


def test_settings_are_read_from_the_environment_that_is_given() -> None:
    assert read_settings([], environ={"ROUTEBOOK_HOLD_S": "2"}).hold_s == 2
