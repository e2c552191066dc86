"""Files that are whole, or as they were: also when there is no room, or no folder."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.engines.durable import as_registry_errors, write_durably
from registry.errors import DiskFull, StoreUnavailable


@contextmanager
def files_of_at_most(limit_bytes: int) -> Iterator[None]:
    """As on a full disk: no file grows beyond this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_given_mode_whatever_the_umask(tmp_path: Path) -> None:
    write_durably(tmp_path / "a", b"1")
    write_durably(tmp_path / "b", b"2", mode=0o600)
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o644, 0o600)


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o664)
    write_durably(file, b"new", mode=0o600)
    assert (file.read_bytes(), mode(file)) == (b"new", 0o664)


def test_an_existing_file_keeps_owner_and_group(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(file, 4321, 4322)
    before = file.stat()
    write_durably(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (before.st_uid, before.st_gid)


def test_the_file_is_replaced_and_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    with file.open("rb") as reader:
        write_durably(file, b"new")
        assert reader.read() == b"old"


def test_a_link_is_followed_also_to_where_nothing_is_yet(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    write_durably(link, b"1")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"1"


def test_without_room_the_file_is_as_it_was_and_nothing_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"old")
    with files_of_at_most(100_000), pytest.raises(DiskFull, match="no room to write a"):
        write_durably(file, b"x" * 200_000)
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_where_a_folder_stands_nothing_is_written_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(StoreUnavailable):
        write_durably(tmp_path / "a", b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_without_a_folder_the_store_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot write a"):
        write_durably(tmp_path / "gone" / "a", b"1")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_way_to_have_no_room_is_a_full_disk(number: int) -> None:
    with pytest.raises(DiskFull), as_registry_errors("a"):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO, errno.ENOENT])
def test_every_other_failure_is_an_unavailable_store(number: int) -> None:
    with pytest.raises(StoreUnavailable), as_registry_errors("a"):
        raise OSError(number, os.strerror(number))
