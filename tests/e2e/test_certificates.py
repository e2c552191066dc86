"""Which certificate a client is shown: by SNI, after each rotation, and when files are missing."""

from __future__ import annotations

import pytest

from tests.e2e.asking import Answer, eventually, hammered, in_turn, seen_last
from tests.e2e.records import pair, put, record, serial
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-certificates"),
]

DEFAULT = "routebook.invalid"


async def test_each_host_is_shown_the_certificate_of_its_record(stage: Stage) -> None:
    certificates = {}
    for name in ("sni-a", "sni-b"):
        certificates[name] = await _certified(stage, name)

    for name, certificate in certificates.items():
        answer = await stage.https(f"{name}.test")
        assert answer.upstream == "blue"
        assert serial(answer.certificate) == serial(certificate)


async def test_a_host_without_a_certificate_is_shown_the_given_default(stage: Stage) -> None:
    await stage.expose("bare", entrypoints=["websecure"])

    for host in ("bare.test", "nobody.test"):
        assert (await stage.https(host)).common_name == DEFAULT, host


async def test_a_wildcard_certificate_serves_the_hosts_of_one_label(stage: Stage) -> None:
    certificate = await _certified(stage, "star", "*.star.test", hostnames=["*.star.test"])

    assert serial((await stage.https("a.star.test")).certificate) == serial(certificate)
    assert (await stage.https("star.test")).common_name == DEFAULT


@pytest.mark.parametrize("rename", [True, False], ids=["by rename", "in place"])
@pytest.mark.parametrize("first", ["crt", "key"])
async def test_a_rotated_pair_is_shown_without_a_restart_and_half_of_it_never(
    stage: Stage, first: str, rename: bool
) -> None:
    name = f"turn-{first}-{'rename' if rename else 'place'}"
    old = await _certified(stage, name)
    new, key = pair(f"{name}.test")
    halves = {"crt": new, "key": key}

    async with hammered(stage.proxy.websecure, f"{name}.test", tls=True) as answers:
        put(stage.certs / f"{name}.{first}", halves.pop(first), rename=rename)
        await _problem(stage, name, {"certificate_left_out"})
        half_way = await stage.https(f"{name}.test")
        [(second, content)] = halves.items()
        put(stage.certs / f"{name}.{second}", content, rename=rename)
        await seen_last(answers, serial(new))

    assert serial(half_way.certificate) == serial(old)
    assert half_way.upstream == answers[-1].upstream == "blue"
    # In no handshake the default certificate, or one of the two again after the other.
    assert in_turn(map(_serial, answers)) == [serial(old), serial(new)]
    await _problem(stage, name, set())


async def test_the_inventory_knows_what_traefik_has_loaded_and_what_not_yet(stage: Stage) -> None:
    await _certified(stage, "listed")
    put(stage.certs / "unnamed.crt", pair("unnamed.test")[0])

    async def listed() -> None:
        shown = {
            each["file"]: each for each in (await stage.get("/api/certificates"))["certificates"]
        }
        (traefik,) = shown["listed.crt"]["loaded"]
        assert shown["listed.crt"]["loaded"] == {traefik: True}
        assert shown["unnamed.crt"]["loaded"] == {traefik: False}

    await eventually(listed, 30.0)


@pytest.mark.parametrize("order", [("crt", "key"), ("key", "crt")], ids=" then ".join)
@pytest.mark.parametrize("rename", [True, False], ids=["by rename", "in place"])
async def test_a_pair_that_is_replaced_in_one_go_is_never_dark_in_between(
    stage: Stage, order: tuple[str, str], rename: bool
) -> None:
    name = f"go-{order[0]}-{'rename' if rename else 'place'}"
    serials = [serial(await _certified(stage, name))]
    async with hammered(stage.proxy.websecure, f"{name}.test", tls=True) as answers:
        for _ in range(2):
            contents = dict(zip(("crt", "key"), pair(f"{name}.test"), strict=True))
            for half in order:
                put(stage.certs / f"{name}.{half}", contents[half], rename=rename)
            serials.append(serial(contents["crt"]))
            await seen_last(answers, serials[-1])

    assert in_turn(map(_serial, answers)) == serials


async def test_a_pair_that_is_replaced_again_and_again_ends_with_the_last(stage: Stage) -> None:
    await _certified(stage, "often")

    for _ in range(5):
        certificate, key = pair("often.test")
        put(stage.certs / "often.key", key)
        put(stage.certs / "often.crt", certificate)

    await _shown(stage, "often", certificate)


@pytest.mark.parametrize("damage", ["deleted", "emptied", "rubbish"])
async def test_a_pair_that_is_lost_on_disk_is_shown_as_it_was(stage: Stage, damage: str) -> None:
    certificate = await _certified(stage, damage)
    file = stage.certs / f"{damage}.crt"

    if damage == "deleted":
        file.unlink()
    else:
        put(file, b"" if damage == "emptied" else b"no certificate", rename=False)
    await _problem(stage, damage, {"certificate_left_out"})
    await stage.expose(f"after-{damage}")

    assert serial((await stage.https(f"{damage}.test")).certificate) == serial(certificate)


async def test_a_missing_pair_leaves_the_default_and_all_others_until_it_comes(
    stage: Stage,
) -> None:
    other = await _certified(stage, "beside-absent")
    tls = {"cert_file": "absent.crt", "key_file": "absent.key"}
    environment_id = await stage.expose("absent", entrypoints=["websecure"], tls=tls)
    await _problem(stage, "absent", {"certificate_left_out"})

    absent = await stage.https("absent.test")
    assert (absent.upstream, absent.common_name) == ("blue", DEFAULT)
    assert await stage.router_states(environment_id) == {"enabled"}
    assert serial((await stage.https("beside-absent.test")).certificate) == serial(other)

    certificate, key = pair("absent.test")
    put(stage.certs / "absent.key", key)
    put(stage.certs / "absent.crt", certificate)
    await _shown(stage, "absent", certificate)


async def test_of_two_pairs_for_the_same_names_the_one_that_ends_later_is_shown(
    stage: Stage,
) -> None:
    # Traefik takes the first in the document and drops the second without a word.
    long = pair("same.test", days=300)
    for slug, (certificate, key) in {"same": long, "same-below": pair("same.test")}.items():
        put(stage.certs / f"{slug}.crt", certificate)
        put(stage.certs / f"{slug}.key", key)
        tls = {"cert_file": f"{slug}.crt", "key_file": f"{slug}.key"}
        router = {"hostnames": ["same.test"], "path_prefix": f"/{slug}", "tls": tls}
        await stage.expose(slug, entrypoints=["websecure"], **router)

    assert serial((await stage.https("same.test", "/same-below")).certificate) == serial(long[0])


async def test_a_certificate_outside_the_folder_is_refused_and_by_hand_left_out(
    stage: Stage,
) -> None:
    certificate, key = pair("outside.test")
    put(stage.data / "outside.crt", certificate)
    put(stage.data / "outside.key", key)
    for suffix in ("crt", "key"):
        (stage.certs / f"link.{suffix}").symlink_to(stage.data / f"outside.{suffix}")
    linked = {"cert_file": "link.crt", "key_file": "link.key"}
    climbing = {"cert_file": "../../outside.crt", "key_file": "../../outside.key"}
    router = {"service_url": stage.upstreams.blue, "entrypoints": ["websecure"]}

    for tls in (linked, climbing):
        status, _ = await stage.write("POST", "", record("outside", tls=tls, **router))
        assert status == 422
    stage.edit(lambda environments: environments.append(record("outside", tls=linked, **router)))

    await stage.live(lambda document: "env-outside" in document["http"]["services"])
    assert (await stage.https("outside.test")).common_name == DEFAULT


def _serial(answer: Answer) -> int:
    return serial(answer.certificate)


async def _certified(stage: Stage, slug: str, *names: str, **router: object) -> bytes:
    """The certificate of a new environment on `websecure`, once Traefik shows it."""
    certificate, key = pair(*names or [f"{slug}.test"])
    put(stage.certs / f"{slug}.crt", certificate)
    put(stage.certs / f"{slug}.key", key)
    tls = {"cert_file": f"{slug}.crt", "key_file": f"{slug}.key"}
    await stage.expose(slug, entrypoints=["websecure"], tls=tls, **router)
    return certificate


async def _shown(stage: Stage, slug: str, certificate: bytes) -> Answer:
    async def check() -> Answer:
        answer = await stage.https(f"{slug}.test")
        assert serial(answer.certificate) == serial(certificate)
        return answer

    return await eventually(check)


async def _problem(stage: Stage, slug: str, codes: set[str]) -> None:
    """Wait until the daemon says exactly this of an environment."""
    [environment_id] = [
        each["environment_id"]
        for each in (await _environments(stage))["environments"]
        if each["slug"] == slug
    ]

    async def check() -> None:
        assert await stage.problems(environment_id) == codes

    await eventually(check)


async def _environments(stage: Stage) -> dict[str, list[dict[str, str]]]:
    async with stage.session.get(f"{stage.api}/api/environments?limit=1000") as response:
        return dict(await response.json())
