"""The files of issued certificates: whole pairs over crashes and full disks, and nobody else's."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import provider.issuing.issued
from provider.issuing.issued import IssuedPairs
from registry.errors import StoreUnavailable
from tests.api.bodies import routed
from tests.api.issuing import NAMES, ask, certificate, issue, matches, put_pair
from tests.api.steps import create, pointers, read, refused
from tests.daemons import Daemon


async def test_what_a_crash_left_is_mended_by_asking_again(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    crashing = {"key alone": "dev.crt", "both files": "record"}
    for where in crashing.values():
        with monkeypatch.context() as patch:
            _crash_before(patch, where)
            assert (await ask(daemon)).status in (500, 503)
        assert (await read(daemon, "dev"))["metadata"]["router"].get("tls") in (None, NAMES)
        await issue(daemon)
        assert matches(daemon)
    with monkeypatch.context() as patch:  # a rotation: a new key beside the old certificate
        _crash_before(patch, "dev.crt")
        assert (await ask(daemon)).status == 503
    assert not matches(daemon)
    await issue(daemon)
    assert matches(daemon)


def _crash_before(patch: pytest.MonkeyPatch, where: str) -> None:
    """The power goes before this file is put in place, or before the record is written."""
    put, replace = IssuedPairs.put, Path.replace

    def put_and_die(*arguments: Any) -> None:
        put(*arguments)
        raise StoreUnavailable("the power went")

    def dying(temporary: Path, target: Path) -> Path:
        if target.name == where:
            raise StoreUnavailable("the power went")
        return replace(temporary, target)

    patch.setattr(Path, "replace", dying)
    if where == "record":
        patch.setattr(IssuedPairs, "put", put_and_die)


async def test_a_disk_that_is_full_leaves_both_files_as_they_were(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    folder = daemon.folders.certificates
    before = {path.name: path.read_bytes() for path in folder.glob("dev.*")}
    write = provider.issuing.issued.write_beside

    def full(target: Path, *arguments: Any) -> str:
        if target.name == "dev.crt":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(target, *arguments)

    monkeypatch.setattr(provider.issuing.issued, "write_beside", full)
    refused(await ask(daemon), 507, "disk_full")
    assert {path.name: path.read_bytes() for path in folder.glob("dev.*")} == before


@pytest.mark.parametrize("halves", [("crt",), ("key",), ("crt", "key")])
async def test_files_of_a_person_are_never_overwritten(
    daemon: Daemon, halves: tuple[str, ...]
) -> None:
    folder = daemon.folders.certificates
    await create(daemon, "dev", **routed("dev.test"))
    contents = put_pair(folder, "dev", *halves)
    problem = refused(await ask(daemon), 409, "foreign_files")
    assert problem["files"] == [f"dev.{half}" for half in halves]
    assert {path.name: path.read_bytes() for path in folder.glob("dev.*")} == {
        f"dev.{half}": contents[half] for half in halves
    }
    assert not (daemon.folders.data / "dev_ca").exists()
    assert "tls" not in (await read(daemon, "dev"))["metadata"]["router"]


@pytest.mark.parametrize("half", ["crt", "key"])
async def test_a_half_that_a_person_put_over_ours_is_theirs(daemon: Daemon, half: str) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    contents = put_pair(daemon.folders.certificates, "dev", half)
    problem = refused(await ask(daemon), 409, "foreign_files")
    assert f"dev.{half}" in problem["files"]
    assert (daemon.folders.certificates / f"dev.{half}").read_bytes() == contents[half]


def _link(path: Path, elsewhere: Path) -> None:
    elsewhere.write_bytes(path.read_bytes() if path.exists() else b"")
    path.unlink(missing_ok=True)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    "put",
    [
        lambda path, _: path.write_bytes(b""),
        lambda path, _: path.write_bytes(b"rubbish"),
        lambda path, _: (path.unlink(), path.mkdir()),
        _link,
        lambda path, _: (path.unlink(), path.symlink_to("nowhere")),
    ],
    ids=["empty", "rubbish", "a folder", "a link", "a link to nowhere"],
)
@pytest.mark.parametrize("half", ["crt", "key"])
async def test_what_is_no_file_of_ours_is_foreign(
    daemon: Daemon, tmp_path: Path, put: Callable[[Path, Path], object], half: str
) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    put(daemon.folders.certificates / f"dev.{half}", tmp_path / "elsewhere")
    assert f"dev.{half}" in refused(await ask(daemon), 409, "foreign_files")["files"]


async def test_a_record_that_names_a_pair_of_a_person_keeps_it(daemon: Daemon) -> None:
    put_pair(daemon.folders.certificates, "team")
    tls = {"cert_file": "team.crt", "key_file": "team.key"}
    await create(daemon, "dev", **routed("dev.test", tls=tls))
    problem = refused(await ask(daemon), 409, "foreign_files")
    assert pointers(problem) == ["/metadata/router/tls"]
    assert (await read(daemon, "dev"))["metadata"]["router"]["tls"] == tls
    assert not (daemon.folders.certificates / "dev.crt").exists()


async def test_a_record_that_names_another_pair_of_ours_gets_its_own(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    other = await create(daemon, "other", **routed("other.test", tls=NAMES))
    before = certificate(daemon)
    issued = await issue(daemon, "other")
    assert (issued["cert_file"], issued["environment"]) == ("other.crt", other["environment_id"])
    assert certificate(daemon) == before


async def test_a_pair_of_ours_that_another_record_names_is_not_taken(daemon: Daemon) -> None:
    await create(daemon, "dev", **routed("dev.test"))
    await issue(daemon)
    await daemon.call("PATCH", "/api/environments/dev", json={"slug": "renamed"})
    await create(daemon, "dev", **routed("new.test"))
    before = certificate(daemon)
    assert "renamed" in refused(await ask(daemon), 409, "foreign_files")["detail"]
    assert certificate(daemon) == before
    assert (await issue(daemon, "renamed"))["cert_file"] == "renamed.crt"
    assert (await issue(daemon))["names"] == ["new.test"]
