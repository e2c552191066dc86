"""Development certificates through a real Traefik: issued, issued again, and checked."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from tests.access.processes import Ended, routebook
from tests.e2e.asking import Answer, eventually, hammered, in_turn, seen_last
from tests.e2e.records import pair, put, serial
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-issuing"),
]


async def test_what_is_issued_is_presented_and_issued_again_without_a_dark_moment(
    stage: Stage,
) -> None:
    await stage.expose("born", entrypoints=["websecure"])
    async with hammered(stage.proxy.websecure, "born.test", tls=True) as seen:
        fingerprints = []
        for _ in range(3):
            issued = await issue(stage, "born")
            fingerprints.append(issued["fingerprint"])
            await seen_last(seen, on_disk(stage, "born"))
    default, *turns = in_turn(map(fingerprint_of, seen))
    assert default not in fingerprints
    assert turns == fingerprints
    assert len({*turns}) == 3


async def test_waiting_for_it_says_when_traefik_serves_the_record(stage: Stage) -> None:
    await stage.expose("waited", entrypoints=["websecure"])
    issued = await issue(stage, "waited", "?wait=20")
    assert issued["routing"]["live"] is True
    await presented(stage, "waited.test", issued["fingerprint"])


async def test_a_half_replaced_pair_keeps_the_old_one_and_the_command_says_so(
    stage: Stage,
) -> None:
    await stage.expose("half", entrypoints=["websecure"])
    issued = await issue(stage, "half")
    await presented(stage, "half.test", issued["fingerprint"])
    certificate, key = pair("half.test")
    async with hammered(stage.proxy.websecure, "half.test", tls=True) as seen:
        put(stage.certs / "half.crt", certificate)
        await left_out(stage, issued["environment"])
        checked = await certs(stage, "check", "half.test", "--json")
        assert checked.value["presented"]["fingerprint"] == issued["fingerprint"]
        put(stage.certs / "half.key", key)
        await seen_last(seen, serial(certificate))
    turns = in_turn(serial(each.certificate) for each in seen)
    assert len(turns) == 2
    assert turns[1] == serial(certificate)


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
    assert found["problems"] == []


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
    assert answer.certificate is not None
    return answer.certificate.fingerprint(hashes.SHA256()).hex()


async def presented(stage: Stage, host: str, fingerprint: str) -> None:
    """Wait until a client of this host is shown this certificate."""

    async def check() -> None:
        assert fingerprint_of(await stage.https(host)) == fingerprint

    await eventually(check)


def on_disk(stage: Stage, slug: str) -> int:
    """The serial number of the certificate that is in the folder."""
    return serial((stage.certs / f"{slug}.crt").read_bytes())


async def left_out(stage: Stage, environment: str) -> None:
    """Wait until the daemon says that the pair of an environment cannot be used."""

    async def check() -> None:
        assert await stage.problems(environment) == {"certificate_left_out"}

    await eventually(check)
