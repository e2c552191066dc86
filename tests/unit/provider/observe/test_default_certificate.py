"""The default certificate: made once, kept, made anew before it ends."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from provider.observe.default_certificate import CERT_FILE, KEY_FILE, ensure_default_certificate
from provider.observe.pairs import read_pair
from tests.unit.provider.observe.pems import START


def made(certs: Path, days: float = 0) -> bytes:
    """The certificate after it was ensured, so many days after the start."""
    ensure_default_certificate(certs, START + timedelta(days=days))
    return (certs / CERT_FILE).read_bytes()


def test_it_is_a_pair_with_a_name_that_nobody_has(tmp_path: Path) -> None:
    made(tmp_path)
    pair = read_pair(tmp_path, CERT_FILE, KEY_FILE)
    assert pair.names == ("routebook.invalid",)
    assert pair.not_after - START == timedelta(days=825)


def test_its_key_is_for_us_and_the_group_of_the_folder(tmp_path: Path) -> None:
    made(tmp_path)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o640


def test_it_is_kept_until_30_days_before_its_end(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert made(tmp_path, days=794) == first
    assert made(tmp_path, days=796) != first


@pytest.mark.parametrize("spoilt", [CERT_FILE, KEY_FILE])
def test_a_spoilt_or_missing_half_is_mended(tmp_path: Path, spoilt: str) -> None:
    first = made(tmp_path)
    (tmp_path / spoilt).write_bytes(b"")
    second = made(tmp_path)
    (tmp_path / spoilt).unlink()
    assert len({first, second, made(tmp_path)}) == 3
    assert read_pair(tmp_path, CERT_FILE, KEY_FILE)
