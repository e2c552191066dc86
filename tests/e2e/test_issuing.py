"""Development certificates through a real Traefik: issued, issued again, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.access.processes import Ended, routebook
from tests.e2e.asking import Answer, ask, eventually
from tests.e2e.records import pair, put, serial
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-issuing"),
]

Replace = Callable[[Path, bytes, bytes], None]


async def test_what_is_issued_is_presented_and_issued_again_without_a_dark_moment(
    stage: Stage,
) -> None:
    await stage.expose("born", entrypoints=["websecure"])
    async with handshakes(stage, "born.test") as seen:
        fingerprints = []
        for _ in range(3):
            issued = await issue(stage, "born")
            fingerprints.append(issued["fingerprint"])
            await presented(stage, "born.test", issued["fingerprint"])
    assert len({*fingerprints}) == 3
    # The default certificate before the first one, then each in its turn and none twice.
    assert [each for each in order_of(seen) if each in fingerprints] == fingerprints
    assert len(order_of(seen)) == 4


async def test_waiting_for_it_says_when_traefik_serves_the_record(stage: Stage) -> None:
    await stage.expose("waited", entrypoints=["websecure"])
    issued = await issue(stage, "waited", "?wait=20")
    assert issued["routing"]["live"] is True
    await presented(stage, "waited.test", issued["fingerprint"])


def key_then_certificate(folder: Path, certificate: bytes, key: bytes) -> None:
    """By rename."""
    put(folder / "turn.key", key)
    put(folder / "turn.crt", certificate)


def certificate_then_key(folder: Path, certificate: bytes, key: bytes) -> None:
    """By rename."""
    put(folder / "turn.crt", certificate)
    put(folder / "turn.key", key)


def over_the_old_key_first(folder: Path, certificate: bytes, key: bytes) -> None:
    """In place."""
    put(folder / "turn.key", key, rename=False)
    put(folder / "turn.crt", certificate, rename=False)


def over_the_old_certificate_first(folder: Path, certificate: bytes, key: bytes) -> None:
    """In place."""
    put(folder / "turn.crt", certificate, rename=False)
    put(folder / "turn.key", key, rename=False)


async def test_a_pair_replaced_in_any_order_and_way_is_never_dark_nor_the_default(
    stage: Stage,
) -> None:
    first, key = pair("turn.test")
    key_then_certificate(stage.certs, first, key)
    tls = {"cert_file": "turn.crt", "key_file": "turn.key"}
    await stage.expose("turn", entrypoints=["websecure"], tls=tls)
    serials = [serial(first)]
    async with handshakes(stage, "turn.test") as seen:
        for replace in (
            key_then_certificate,
            certificate_then_key,
            over_the_old_key_first,
            over_the_old_certificate_first,
        ):
            certificate, key = pair("turn.test")
            replace(stage.certs, certificate, key)
            serials.append(serial(certificate))
            await shown(stage, "turn.test", serials[-1])
    assert order_of([serial(each.certificate) for each in seen.answers]) == serials


async def test_a_half_replaced_pair_keeps_the_old_one_and_the_command_says_so(
    stage: Stage,
) -> None:
    await stage.expose("half", entrypoints=["websecure"])
    issued = await issue(stage, "half")
    await presented(stage, "half.test", issued["fingerprint"])
    certificate, key = pair("half.test")
    async with handshakes(stage, "half.test") as seen:
        put(stage.certs / "half.crt", certificate)
        await left_out(stage, issued["environment"])
        checked = await certs(stage, "check", "half.test", "--json")
        assert checked.value["presented"]["fingerprint"] == issued["fingerprint"]
        put(stage.certs / "half.key", key)
        await shown(stage, "half.test", serial(certificate))
    assert len(order_of(seen)) == 2


async def test_the_command_finds_traefik_by_itself_and_says_what_it_presents(
    stage: Stage,
) -> None:
    await stage.expose("seen", entrypoints=["websecure"])
    default = await certs(stage, "check", "seen.test", "--json")
    assert default.code == 1
    assert default.value["presented"]["names"] == ["routebook.invalid"]
    assert default.value["problems"] == ["the certificate does not cover seen.test"]

    issued = await issue(stage, "seen")
    await presented(stage, "seen.test", issued["fingerprint"])
    checked = await certs(stage, "check", "seen.test", "--json")
    found = checked.value
    assert checked.code == 0, checked.err
    assert found["address"] == f"127.0.0.1:{stage.proxy.websecure}"
    assert found["presented"]["fingerprint"] == issued["fingerprint"]
    assert found["trusted"]["dev_ca"]["trusted"] is True
    assert found["trusted"]["system"]["trusted"] is False


async def issue(stage: Stage, ref: str, query: str = "") -> dict[str, Any]:
    """What the daemon issued for an environment."""
    url = f"{stage.api}/api/certificates{query}"
    async with stage.session.post(url, json={"environment": ref}) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def certs(stage: Stage, *words: str) -> Ended:
    """`routebook certs WORDS` against the stage's daemon."""
    return await routebook("certs", *words, AGENT_API_URL=stage.api)


def fingerprint_of(answer: Answer) -> str:
    """As the API says it."""
    from cryptography.hazmat.primitives import hashes

    assert answer.certificate is not None
    return answer.certificate.fingerprint(hashes.SHA256()).hex()


async def presented(stage: Stage, host: str, fingerprint: str) -> None:
    """Wait until a client of this host is shown this certificate."""

    async def check() -> None:
        assert fingerprint_of(await stage.https(host)) == fingerprint

    await eventually(check)


async def shown(stage: Stage, host: str, number: int) -> None:
    """Wait until a client of this host is shown the certificate of this serial number."""

    async def check() -> None:
        assert serial((await stage.https(host)).certificate) == number

    await eventually(check)


async def left_out(stage: Stage, environment: str) -> None:
    """Wait until the daemon says that the pair of an environment cannot be used."""

    async def check() -> None:
        assert await stage.problems(environment) == {"certificate_left_out"}

    await eventually(check)


class Seen:
    """What clients were shown, in order."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []


@asynccontextmanager
async def handshakes(stage: Stage, host: str) -> AsyncIterator[Seen]:
    """One request over a new TLS connection after the other; each must reach the upstream."""
    seen, stop = Seen(), asyncio.Event()

    async def go_on() -> None:
        while not stop.is_set():
            seen.answers.append(await ask(stage.proxy.websecure, host, tls=True))
            await asyncio.sleep(0)

    client = asyncio.create_task(go_on())
    try:
        yield seen
    finally:
        stop.set()
        await client  # raises what a handshake that failed raised
    assert len(seen.answers) > 10
    assert {each.upstream for each in seen.answers} == {"blue"}


def order_of(seen: Seen | list[Any]) -> list[Any]:
    """Each certificate once for each time that it came to be shown."""
    each = [*map(fingerprint_of, seen.answers)] if isinstance(seen, Seen) else seen
    return [one for index, one in enumerate(each) if not index or one != each[index - 1]]
