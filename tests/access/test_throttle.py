"""Slowing down who guesses passwords: by address and account, before anything is hashed."""

from __future__ import annotations

import asyncio
import time

import pytest

from provider.auth import passwords
from provider.auth.throttle import FREE_TRIES, LoginThrottle
from tests.access.callers import PASSWORD, write_accounts
from tests.api.steps import refused
from tests.conftest import StartDaemon
from tests.daemons import Answer, Daemon, Folders

HERE, ANN, BOB = "192.0.2.1", "operator@x.test", "viewer@x.test"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    """A throttle that has seen nobody."""
    return LoginThrottle(clock)


def fail(throttle: LoginThrottle, times: int, address: str = HERE, account: str = ANN) -> None:
    """Count so many wrong passwords."""
    for _ in range(times):
        throttle.failed(address, account)


def test_the_first_five_tries_are_free(throttle: LoginThrottle) -> None:
    for _ in range(5):
        assert throttle.wait_s(HERE, ANN) == 0
        fail(throttle, 1)
    assert throttle.wait_s(HERE, ANN) > 0


def test_each_further_try_waits_twice_as_long_up_to_five_minutes(
    throttle: LoginThrottle, clock: Clock
) -> None:
    fail(throttle, 5)
    waits = []
    for _ in range(12):
        waits.append(throttle.wait_s(HERE, ANN))
        clock.now_s += waits[-1]
        assert throttle.wait_s(HERE, ANN) == 0
        fail(throttle, 1)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_the_wait_runs_out_and_not_before(throttle: LoginThrottle, clock: Clock) -> None:
    fail(throttle, 7)
    clock.now_s += 3.5
    assert throttle.wait_s(HERE, ANN) == 0.5
    clock.now_s += 0.5
    assert throttle.wait_s(HERE, ANN) == 0


def test_who_knows_the_password_begins_anew(throttle: LoginThrottle) -> None:
    fail(throttle, 20)
    throttle.succeeded(HERE, ANN)
    fail(throttle, 4)
    assert throttle.wait_s(HERE, ANN) == 0


def test_another_account_and_another_address_do_not_wait(throttle: LoginThrottle) -> None:
    fail(throttle, 20)
    assert throttle.wait_s(HERE, BOB) == 0
    assert throttle.wait_s("192.0.2.2", ANN) == 0


def test_thousands_of_failures_neither_overflow_nor_are_kept_for_ever(
    throttle: LoginThrottle,
) -> None:
    fail(throttle, 5000)
    assert throttle.wait_s(HERE, ANN) == 300
    for number in range(20_000):
        fail(throttle, 1, account=f"{number}@x.test")
    assert throttle.wait_s(HERE, ANN) == 0
    fail(throttle, 4, account="19999@x.test")
    assert throttle.wait_s(HERE, "19999@x.test") > 0


class Hashing:
    """What was verified, in the place of the costly verification."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.takes_s = 0.0

    def __call__(self, password_hash: str | None, password: str) -> bool:
        self.tried.append(password)
        time.sleep(self.takes_s)
        return password_hash is not None and password == PASSWORD


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    """Counts the passwords that were verified."""
    made = Hashing()
    monkeypatch.setattr(passwords, "_verify", made)
    return made


@pytest.fixture
async def daemon(
    folders: Folders,
    start_daemon: StartDaemon,
    clock: Clock,
    hashing: Hashing,
    monkeypatch: pytest.MonkeyPatch,
) -> Daemon:
    """A daemon with two accounts, whose throttle has the clock."""
    monkeypatch.setattr("provider.daemon.LoginThrottle", lambda _clock: LoginThrottle(clock))
    write_accounts(folders.data, ANN, BOB)
    return await start_daemon()


async def login(daemon: Daemon, password: str, email: str = ANN) -> Answer:
    """What a login with these answers."""
    return await daemon.call("POST", "/api/auth/login", json={"email": email, "password": password})


async def test_after_five_failures_nothing_is_hashed_until_the_wait_is_over(
    daemon: Daemon, clock: Clock, hashing: Hashing
) -> None:
    for number in range(FREE_TRIES):
        refused(await login(daemon, f"wrong {number}"), 401, "unauthenticated")
    answer = await login(daemon, PASSWORD)
    assert refused(answer, 429, "slow_down")["retry_after_s"] == 1
    assert answer.headers["Retry-After"] == "1"
    assert len(hashing.tried) == FREE_TRIES
    clock.now_s += 1
    assert (await login(daemon, PASSWORD)).status == 200
    refused(await login(daemon, "wrong"), 401, "unauthenticated")


async def test_a_refused_try_does_not_lengthen_the_wait(
    daemon: Daemon, clock: Clock, hashing: Hashing
) -> None:
    for number in range(FREE_TRIES):
        await login(daemon, f"wrong {number}")
    clock.now_s += 0.75
    for _ in range(10):
        problem = refused(await login(daemon, "wrong"), 429, "slow_down")
    assert problem["retry_after_s"] == 0.2
    assert len(hashing.tried) == FREE_TRIES


async def test_others_are_not_slowed_down(daemon: Daemon) -> None:
    for number in range(FREE_TRIES + 1):
        await login(daemon, f"wrong {number}")
    assert (await login(daemon, PASSWORD, BOB)).status == 200
    refused(await login(daemon, "wrong", "unknown@x.test"), 401, "unauthenticated")


async def test_who_guesses_an_unknown_account_is_slowed_down_too(daemon: Daemon) -> None:
    for number in range(FREE_TRIES):
        await login(daemon, f"wrong {number}", "unknown@x.test")
    refused(await login(daemon, "wrong", "unknown@x.test"), 429, "slow_down")


async def test_guesses_at_once_are_slowed_down_as_those_one_after_the_other(
    daemon: Daemon, hashing: Hashing
) -> None:
    hashing.takes_s = 0.1
    answers = await asyncio.gather(*(login(daemon, f"wrong {n}") for n in range(20)))
    assert {answer.status for answer in answers} == {401, 429}
    assert len(hashing.tried) <= FREE_TRIES + 2
