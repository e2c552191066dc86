"""Polls that are refused are told of: their Traefik goes on with what it had."""

from __future__ import annotations

import pytest

from provider.turned_away import TurnedAway
from tests.access.callers import bearer, everybody
from tests.api.steps import problems
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders
from tests.safety.conftest import Log

POLL = "/traefik/config"


async def refused_polls(daemon: Daemon, operator: dict[str, str]) -> list[str]:
    """What it says of those who are not let in."""
    shown = await problems(daemon, operator)
    return [each["detail"] for each in shown if each["code"] == "poller_refused"]


async def test_who_polls_without_a_token_again_is_in_health_and_in_the_log(
    folders: Folders, start_daemon: StartDaemon, log: Log
) -> None:
    who = everybody(folders.data)
    daemon = await start_daemon("--hold-s=0")
    for _ in range(3):
        assert (await daemon.call("GET", POLL)).status == 401
    [detail] = await refused_polls(daemon, who["operator"])
    assert detail.startswith("127.0.0.1 polls and is refused: send a token")
    assert sum("event=poller_refused" in line for line in log.lines) == 1


async def test_the_wrong_host_of_a_poll_in_open_mode_is_told_too(
    start_daemon: StartDaemon,
) -> None:
    daemon = await start_daemon("--hold-s=0")
    for _ in range(2):
        answer = await daemon.call("GET", POLL, headers={"Host": "host.docker.internal:8700"})
        assert answer.status == 403
    [detail] = await refused_polls(daemon, {})
    assert "host.docker.internal" in detail


async def test_a_single_stray_request_is_not(folders: Folders, start_daemon: StartDaemon) -> None:
    who = everybody(folders.data)
    daemon = await start_daemon("--hold-s=0")
    assert (await daemon.call("GET", POLL, headers=bearer("rb_secret"))).status == 401
    assert (await daemon.call("GET", "/api/environments")).status == 401
    assert await refused_polls(daemon, who["operator"]) == []


@pytest.mark.parametrize(("later_s", "is_told"), [(59.0, True), (61.0, False)])
def test_it_is_over_a_minute_after_the_last_one(later_s: float, is_told: bool) -> None:
    now_s = 0.0
    turned_away = TurnedAway(lambda: now_s)
    for _ in range(2):
        turned_away.note("10.0.0.1", "no token")
    now_s = later_s
    assert ("10.0.0.1" in turned_away.listed()) is is_told


def test_of_many_addresses_the_last_20_are_told() -> None:
    turned_away = TurnedAway(lambda: 0.0)
    for number in range(50):
        for _ in range(2):
            turned_away.note(f"10.0.0.{number}", "no token")
    assert list(turned_away.listed()) == [f"10.0.0.{number}" for number in range(30, 50)]


async def test_accounts_that_cannot_be_read_are_in_health_with_the_reason(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    who = everybody(folders.data)
    daemon = await start_daemon("--hold-s=0")
    (folders.data / "accounts.json").write_text('{"accounts": [{"password": "$argon2id$x"}]}')
    [problem] = [
        each for each in await problems(daemon, who["operator"])
        if each["code"] == "accounts_unreadable"
    ]  # fmt: skip
    assert "accounts.json cannot be read (/accounts/0/email: Field required)" in problem["detail"]
    assert "argon2" not in problem["detail"]


async def test_the_end_of_open_mode_is_in_the_log(daemon: Daemon, log: Log) -> None:
    everybody(daemon.folders.data)
    assert (await daemon.call("GET", "/api/environments")).status == 401
    assert any("event=open_mode_ended" in line for line in log.lines)
