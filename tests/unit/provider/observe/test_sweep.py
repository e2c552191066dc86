"""Sweeping: copies that nothing has used for a day go, and no others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provider.observe.certificates import UNUSED_KEPT_S, CertificateFolder
from provider.render.fragment import Pair
from tests.unit.provider.observe.pems import pem, put

FIRST, SECOND = pem("app.test", serial=1), pem("app.test", serial=2)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    """A folder with the pair `app`."""
    put(tmp_path, "app", FIRST)
    return tmp_path


def opened(certs: Path) -> CertificateFolder:
    """The folder, as a daemon sees it that starts now."""
    return CertificateFolder(certs, str(certs))


def served(folder: CertificateFolder) -> Pair:
    """The pair in service."""
    pair = folder.look("app.crt", "app.key").pair
    assert pair is not None
    return pair


def contents(pair: Pair) -> tuple[bytes, bytes]:
    """What the paths of the document hold."""
    return Path(pair.cert_path).read_bytes(), Path(pair.key_path).read_bytes()


def age(copy: Path) -> None:
    """Let a copy be unused for more than a day."""
    then = copy.stat().st_mtime - UNUSED_KEPT_S - 60
    os.utime(copy, (then, then))


def test_a_sweep_removes_copies_that_were_unused_for_a_day(certs: Path) -> None:
    folder = opened(certs)
    old = served(folder)
    put(certs, "app", SECOND)
    new = served(folder)
    copies = {pair.fingerprint: certs / ".live" / pair.fingerprint for pair in (old, new)}
    folder.sweep([new])
    assert all(copy.is_dir() for copy in copies.values())
    for copy in copies.values():
        age(copy)
    folder.sweep([new])
    assert not copies[old.fingerprint].exists()
    assert contents(new) == SECOND
    age(copies[new.fingerprint])
    folder.sweep([])
    assert contents(new) == SECOND, "the last good copy of a named pair stays"


def test_a_copy_that_a_document_uses_is_not_swept_though_it_is_old(certs: Path) -> None:
    folder = opened(certs)
    old = served(folder)
    put(certs, "app", SECOND)
    served(folder)
    age(certs / ".live" / old.fingerprint)
    folder.sweep([old])
    folder.sweep([])
    assert contents(old) == FIRST, "it was in use until now"


def test_a_sweep_without_copies_is_no_fault(tmp_path: Path) -> None:
    opened(tmp_path).sweep([])
