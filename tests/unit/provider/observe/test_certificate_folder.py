"""The certificate folder: copies of fixed content, and the last good pair while one is replaced."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from provider.observe.certificates import CertificateFolder
from provider.render.fragment import Pair
from tests.records import environment, routed
from tests.unit.provider.observe.pems import pem, put

FIRST, SECOND = pem("app.test", serial=1), pem("app.test", serial=2)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    """A folder with the pair `app`."""
    put(tmp_path, "app", FIRST)
    return tmp_path


def opened(certs: Path) -> CertificateFolder:
    """The folder, as a daemon sees it that starts now."""
    return CertificateFolder(certs, "/certs")


def served(folder: CertificateFolder, stem: str = "app") -> Pair:
    """The pair in service; there must be one and nothing wrong with it."""
    own = folder.look(f"{stem}.crt", f"{stem}.key")
    assert own.problem is None
    assert own.pair is not None
    return own.pair


def contents(certs: Path, pair: Pair) -> tuple[bytes, bytes]:
    """What the paths of the document hold, read where they are for us."""
    return tuple(  # type: ignore[return-value]
        Path(path.replace("/certs", str(certs), 1)).read_bytes()
        for path in (pair.cert_path, pair.key_path)
    )


def test_a_pair_is_served_as_a_copy_under_its_fingerprint(certs: Path) -> None:
    pair = served(opened(certs))
    assert pair.cert_path == f"/certs/.live/{pair.fingerprint}/cert.pem"
    assert len(pair.fingerprint) == 64
    assert contents(certs, pair) == FIRST


def test_the_same_files_are_the_same_pair_and_parsed_once(certs: Path) -> None:
    folder = opened(certs)
    assert folder.look("app.crt", "app.key") is folder.look("app.crt", "app.key")
    assert served(opened(certs)) == served(folder)


def test_a_rotation_changes_the_paths_and_keeps_the_old_copies(certs: Path) -> None:
    folder = opened(certs)
    before = served(folder)
    put(certs, "app", SECOND)
    after = served(folder)
    assert after.cert_path != before.cert_path
    assert contents(certs, after) == SECOND
    assert contents(certs, before) == FIRST, "a Traefik that has not polled yet still reads them"


def test_a_rotation_in_place_is_noticed(certs: Path) -> None:
    folder = opened(certs)
    before = served(folder)
    for suffix, content in zip(("crt", "key"), SECOND, strict=True):
        file = certs / f"app.{suffix}"
        file.write_bytes(content)
        os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1))
    assert served(folder).fingerprint != before.fingerprint


@pytest.mark.parametrize("half", ["crt", "key"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_half_replaced_pair_stays_in_service_as_it_was(
    certs: Path, half: str, restarted: bool
) -> None:
    folder = opened(certs)
    before = served(folder)
    put(certs, "app", SECOND, only=half)
    own = (opened(certs) if restarted else folder).look("app.crt", "app.key")
    assert own.pair == before
    assert own.problem is not None
    assert "last good copy stays in service" in own.problem
    put(certs, "app", SECOND)
    assert contents(certs, served(folder)) == SECOND


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB"])
def test_a_torn_certificate_keeps_the_last_good_copy(certs: Path, content: bytes) -> None:
    folder = opened(certs)
    before = served(folder)
    (certs / "app.crt").write_bytes(content)
    own = folder.look("app.crt", "app.key")
    assert own.pair == before
    assert own.problem is not None


def test_a_pair_that_never_was_good_has_no_copy(certs: Path) -> None:
    put(certs, "app", SECOND, only="key")
    own = opened(certs).look("app.crt", "app.key")
    assert own.pair is None
    assert own.problem == "app.key is not the key of app.crt"
    assert not (certs / ".live").exists()


def test_what_is_missing_comes_into_service_once_it_is_there(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    assert folder.look("app.crt", "app.key").problem == "app.crt is not there"
    put(tmp_path, "app", FIRST)
    assert contents(tmp_path, served(folder)) == FIRST


def test_the_last_good_copy_of_one_pair_is_none_of_another(certs: Path) -> None:
    folder = opened(certs)
    served(folder)
    put(certs, "other", SECOND, only="key")
    own = folder.look("app.crt", "other.key")
    assert own.pair is None
    assert own.problem == "other.key is not the key of app.crt"


def test_a_link_out_of_the_folder_is_not_served(certs: Path, tmp_path: Path) -> None:
    inner = certs / "inner"
    inner.mkdir()
    put(inner, "app", FIRST)
    (inner / "out.key").symlink_to(certs / "app.key")
    folder = opened(inner)
    reason = folder.leads_outside("app.crt", "out.key")
    assert reason is not None
    assert "out.key leads out" in reason
    assert folder.look("app.crt", "out.key").pair is None
    assert folder.leads_outside("app.crt", "app.key") is None
    assert folder.leads_outside("none.crt", "none.key") is None


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_copy_is_readable_for_whom_its_source_is(tmp_path: Path, mode: int) -> None:
    put(tmp_path, "app", FIRST, mode=mode)
    if os.geteuid() == 0:
        os.chown(tmp_path / "app.key", -1, 4321)
    pair = served(opened(tmp_path))
    copy = tmp_path / ".live" / pair.fingerprint / "key.pem"
    assert stat.S_IMODE(copy.stat().st_mode) == mode
    assert copy.stat().st_gid == (tmp_path / "app.key").stat().st_gid


def test_a_torn_memory_of_last_good_copies_is_no_fault(certs: Path) -> None:
    served(opened(certs))
    for torn in ("", "[", "{}", '[{"cert_file": 1}]', '[["app.crt"]]'):
        (certs / ".live" / "last_good.json").write_text(torn)
        assert served(opened(certs)).names == ("app.test",)


def test_a_last_good_copy_that_was_spoilt_is_not_served(certs: Path) -> None:
    pair = served(opened(certs))
    (certs / ".live" / pair.fingerprint / "key.pem").write_bytes(SECOND[1])
    put(certs, "app", SECOND, only="crt")
    own = opened(certs).look("app.crt", "app.key")
    assert own.pair is None


def test_only_records_that_name_both_files_have_a_certificate(certs: Path) -> None:
    tls = {"tls": {"cert_file": "app.crt", "key_file": "app.key"}}
    several = [routed("a", **tls), routed("b"), environment(slug="c"), routed("d", tls={})]
    assert opened(certs).own_certificates(several).keys() == {"env-a"}


def test_a_link_to_itself_is_a_problem_of_its_record_alone(certs: Path) -> None:
    (certs / "loop.crt").symlink_to("loop.crt")
    tls = {"cert_file": "loop.crt", "key_file": "app.key"}
    own = opened(certs).own_certificates([routed("a", tls=tls)])["env-a"]
    assert own.pair is None
    assert own.problem is not None


def test_a_copy_that_the_disk_refused_is_made_with_the_next_look_when_it_has_room(
    certs: Path,
) -> None:
    (certs / ".live").write_text("no folder can be made here")
    folder = opened(certs)
    assert folder.look("app.crt", "app.key").pair is None
    assert folder.is_unsettled
    (certs / ".live").unlink()
    assert contents(certs, served(folder)) == FIRST
    assert not folder.is_unsettled


def test_a_copy_that_somebody_removed_is_made_again(certs: Path) -> None:
    folder = opened(certs)
    before = served(folder)
    shutil.rmtree(certs / ".live" / before.fingerprint)
    assert contents(certs, served(folder)) == FIRST
    assert served(folder) == before


def test_a_refused_copy_that_no_record_names_any_more_is_not_tried_for_ever(certs: Path) -> None:
    (certs / ".live").write_text("no folder can be made here")
    folder = opened(certs)
    tls = {"cert_file": "app.crt", "key_file": "app.key"}
    folder.own_certificates((routed("app", tls=tls),))
    assert folder.is_unsettled
    folder.own_certificates(())
    assert not folder.is_unsettled
