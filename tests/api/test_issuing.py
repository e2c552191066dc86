"""`POST /api/certificates`, `GET /api/certificates/ca`: certificates for development."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import Any

import pytest
from cryptography import x509

from provider.issuing.issued import IssuedPairs
from provider.logs import configure_logs
from tests.access.callers import everybody
from tests.api.bodies import routed, stored
from tests.api.issuing import CA, CERTIFICATES, NAMES, ask, certificate, issue, matches
from tests.api.steps import create, document, pointers, problems, read, refused
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually
from tests.kept_files import text_of


async def test_it_makes_the_pair_and_names_it_in_the_record(daemon: Daemon) -> None:
    made = await create(daemon, "dev", **routed("dev.test", "*.dev.test"))
    issued = await issue(daemon)
    found = certificate(daemon)
    authority = (await daemon.call("GET", CA)).value
    assert issued == {
        "environment": made["environment_id"],
        **NAMES,
        "names": ["dev.test", "*.dev.test"],
        "not_after": found.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fingerprint": found.fingerprint(x509.base.hashes.SHA256()).hex(),
        "issuer": found.issuer.rfc4514_string(),
    }
    assert matches(daemon)
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority["pem"].encode()))
    assert (await read(daemon, "dev"))["metadata"]["router"]["tls"] == NAMES

    async def served() -> None:
        assert "tls" in await document(daemon)
        assert await problems(daemon) == []

    await eventually(served)


async def test_the_files_are_for_the_folders_group(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    folder = daemon.folders.certificates
    found = {each.name: each.stat() for each in (folder / "dev.crt", folder / "dev.key")}
    assert {name: stat.S_IMODE(each.st_mode) for name, each in found.items()} == {
        "dev.crt": 0o644, "dev.key": 0o640,
    }  # fmt: skip
    assert {each.st_gid for each in found.values()} == {folder.stat().st_gid}


async def test_again_replaces_both_files_and_keeps_their_modes(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    first = await issue(daemon)
    before = await read(daemon, "dev")
    (daemon.folders.certificates / "dev.key").chmod(0o600)
    again = await issue(daemon)
    assert again["fingerprint"] != first["fingerprint"]
    assert again["issuer"] == first["issuer"]
    assert matches(daemon)
    assert stat.S_IMODE((daemon.folders.certificates / "dev.key").stat().st_mode) == 0o600
    assert await read(daemon, "dev") == before


async def test_the_names_are_read_anew_each_time(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    patch = {"metadata": {"router": {"tls": {"domains": ["*.dev.test", "localhost"]}}}}
    await daemon.call("PATCH", "/api/environments/dev", json=patch)
    assert (await issue(daemon))["names"] == ["*.dev.test", "localhost"]
    assert (await read(daemon, "dev"))["metadata"]["router"]["tls"] == {
        **NAMES, "domains": ["*.dev.test", "localhost"],
    }  # fmt: skip


async def test_a_planned_environment_gets_one_too(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test", state="planned"))
    assert (await issue(daemon))["names"] == ["dev.test"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        (routed("a.test", "a.example.com"), "/metadata/router/hostnames/1"),
        (routed("a.test", tls={"domains": ["192.0.2.7"]}), "/metadata/router/tls/domains/0"),
        ({**routed(), "host": {"hostname": "box.example.com"}}, "/host/hostname"),
    ],
)
async def test_names_outside_of_the_domains_are_refused(
    daemon: Daemon, changes: dict[str, Any], pointer: str
) -> None:
    await create(daemon, "dev", **changes)
    problem = refused(await ask(daemon), 422, "name_not_permitted")
    assert pointers(problem) == [pointer]
    assert "test, localhost, internal" in problem["detail"]
    assert list(daemon.folders.certificates.glob("*")) == []
    refused(await daemon.call("GET", CA), 404, "not_found")


async def test_the_domains_are_a_setting_and_a_ca_keeps_those_it_was_made_with(
    start_daemon: StartDaemon,
) -> None:
    first = await start_daemon("--dev-ca-domains=.Corp.Example, test")
    await create(first, "dev", **routed("dev.corp.example"))
    await issue(first)
    assert (await first.call("GET", CA)).value["domains"] == ["corp.example", "test"]
    await first.stop()
    later = await start_daemon("--dev-ca-domains=test internal")
    await create(later, "new", **routed("new.internal"))
    for ref in ("new", "dev"):
        refused(await ask(later, ref), 422, "name_not_permitted")
    assert (await later.call("GET", CA)).value["domains"] == ["corp.example", "test"]


async def test_an_environment_that_is_unknown_broken_or_without_a_router(daemon: Daemon) -> None:
    refused(await ask(daemon, "nope"), 404, "not_found")
    await create(daemon, "dev")
    assert pointers(refused(await ask(daemon), 422, "invalid_record")) == ["/metadata/router"]
    for body in ({}, {"environment": 1}, {"environment": "dev", "x": 1}, []):
        answer = await daemon.call("POST", CERTIFICATES, json=body)
        refused(answer, 422, "invalid_record")
    daemon.folders.hand_write(stored("dev", name=""))
    await until_problem_of(daemon)
    refused(await ask(daemon), 409, "quarantined")
    assert not (daemon.folders.data / "dev_ca").exists()


async def until_problem_of(daemon: Daemon) -> None:
    """Wait until the daemon found the broken record."""

    async def found() -> None:
        assert await problems(daemon)

    await eventually(found)


async def test_if_match_is_kept(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    tag = (await daemon.call("GET", "/api/environments/dev")).headers["ETag"]
    refused(await ask(daemon, headers={"If-Match": '"0"'}), 412, "revision_conflict")
    assert not (daemon.folders.data / "dev_ca").exists()
    assert (await ask(daemon, headers={"If-Match": tag})).status == 201


async def test_an_edit_between_the_files_and_the_record_is_not_lost(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    put, edits = IssuedPairs.put, iter([["new.test"]])

    def edited(*arguments: Any) -> None:
        put(*arguments)
        for hostnames in edits:
            [record] = daemon.folders.stored()
            record["metadata"]["router"]["hostnames"] = hostnames
            daemon.folders.hand_write(record)

    monkeypatch.setattr(IssuedPairs, "put", edited)
    issued = await issue(daemon)
    router = (await read(daemon, "dev"))["metadata"]["router"]
    assert (router["hostnames"], router["tls"]) == (["new.test"], NAMES)
    assert issued["names"] == ["new.test"]


async def test_several_at_once_make_one_ca_and_whole_pairs(daemon: Daemon) -> None:
    for name in ("dev", "other"):
        await create(daemon, name, **routed(f"{name}.test"))
    answers = await asyncio.gather(*(ask(daemon, ref) for ref in ("dev", "other") * 4))
    assert {each.status for each in answers} == {201}
    assert len({each.value["issuer"] for each in answers}) == 1
    assert matches(daemon)
    assert matches(daemon, "other")


async def test_a_dry_run_says_what_would_be_and_makes_nothing(daemon: Daemon) -> None:
    made = await create(daemon, "dev", **routed("dev.test"))
    answer = await ask(daemon, params={"dry_run": "true"})
    assert answer.status == 200
    view = answer.value
    assert (view["environment"], view["slug"]) == (made["environment_id"], "dev")
    assert view["names"] == ["dev.test"]
    changed = {each["pointer"]: each.get("after") for each in view["changes"]}
    assert changed["/metadata/router/tls"] == NAMES
    assert list(daemon.folders.certificates.glob("*")) == []
    assert not (daemon.folders.data / "dev_ca").exists()
    assert "tls" not in (await read(daemon, "dev"))["metadata"]["router"]


async def test_waiting_says_whether_it_is_live(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    assert (await issue(daemon, params={"wait": "1"}))["routing"]["published"] is True


async def test_the_author_is_in_the_history_and_no_key_is_anywhere(
    start_daemon: StartDaemon, folders: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs()
    callers = everybody(folders.data)
    folders.hand_write(stored("dev", **routed("dev.test")))
    daemon = await start_daemon()
    operator = {"headers": callers["operator"]}
    answers = [await ask(daemon, **operator) for _ in range(2)]
    for path in (CA, "/api/history", "/api/health", "/traefik/config", "/api/environments/dev"):
        answers.append(await daemon.call("GET", path, **operator))
    history = (await daemon.call("GET", "/api/environments/dev/history", **operator)).value
    assert history["history"][0]["actor"] == "token:operator"
    keys = [folders.certificates / "dev.key", folders.data / "dev_ca" / "ca.key"]
    secrets = [line for key in keys for line in key.read_text().splitlines()[1:-1]]
    await daemon.stop()  # else files come and go
    said = capsys.readouterr()
    kept = [text_of(path) for path in folders.data.glob("state/*") if path.is_file()]
    texts = [each.content.decode() for each in answers] + [said.out, said.err, *kept]
    for text in texts:
        assert "PRIVATE KEY" not in text
        assert not any(secret in text for secret in secrets)
    assert "certificate_issued" in said.err + said.out


async def test_who_may_not_write_gets_none(start_daemon: StartDaemon, folders: Any) -> None:
    callers = everybody(folders.data)
    folders.hand_write(stored("dev", **routed("dev.test")))
    daemon = await start_daemon()
    refused(await ask(daemon, headers=callers["viewer"]), 403, "forbidden")
    refused(await ask(daemon), 401, "unauthenticated")
    assert not (folders.data / "dev_ca").exists()
    assert list(folders.certificates.glob("*")) == []
    await issue(daemon, headers=callers["operator"])
    assert (await daemon.call("GET", CA, headers=callers["viewer"])).status == 200
    refused(await daemon.call("GET", CA, headers=callers["traefik"]), 403, "forbidden")


async def test_a_broken_ca_is_said_and_what_is_served_stays(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    before = certificate(daemon)
    (daemon.folders.data / "dev_ca" / "ca.key").write_text("rubbish")
    refused(await ask(daemon), 409, "dev_ca_unusable")
    refused(await daemon.call("GET", CA), 409, "dev_ca_unusable")
    assert certificate(daemon) == before


async def test_a_new_ca_takes_over_what_the_old_one_issued(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    first = await issue(daemon)
    (daemon.folders.data / "dev_ca").rename(daemon.folders.data / "old")
    again = await issue(daemon)
    assert again["issuer"] != first["issuer"]
    assert matches(daemon)


async def test_nothing_of_the_ca_is_in_the_certificate_folder(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    key = (daemon.folders.data / "dev_ca" / "ca.key").read_bytes()

    async def copied() -> None:
        assert "tls" in await document(daemon)

    await eventually(copied)
    files = [path for path in daemon.folders.certificates.rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert not any(key == path.read_bytes() for path in files)
    assert "dev_ca" not in json.dumps(await document(daemon))
