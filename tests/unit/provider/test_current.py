"""The publication in force, and its copy on disk that survives a restart."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from provider.current import Current
from provider.publication import Publication, encode_publication
from provider.render.compile import Rules, compile_record
from provider.render.document import Document, assemble
from provider.render.fragment import Fragment
from registry.errors import RegistryError
from tests.records import routed


def document_of(*slugs: str) -> Document:
    """A whole document."""
    compiled = [compile_record(routed(slug), Rules(), None) for slug in slugs]
    return assemble(item for item in compiled if isinstance(item, Fragment))


def publication_of(*slugs: str) -> Publication:
    """A publication of a whole document."""
    document = document_of(*slugs)
    return encode_publication(document.pieces, document.digest)


def keep(current: Current, made: Document | Publication) -> RegistryError | None:
    """What a pass does: write it, and make it durable; the error, when one of them fails."""
    return current.write(made.pieces) or current.sync()


def test_without_a_kept_document_there_is_nothing_to_restore(tmp_path: Path) -> None:
    current = Current(tmp_path / "state" / "document.json")
    assert current.restore() is False
    assert current.publication is None


def test_a_kept_document_survives_a_restart(tmp_path: Path) -> None:
    kept, document = tmp_path / "state" / "document.json", document_of("a")
    assert keep(Current(kept), document) is None
    after = Current(kept)
    assert after.restore() is True
    assert after.publication is not None
    assert (after.publication.body, after.publication.digest) == (document.body, document.digest)
    assert after.publication.gzipped == b"", "nobody waits for it"
    after.settle()
    assert gzip.decompress(after.publication.gzipped) == document.body


def stopped(kept: Path, *slugs: str) -> Publication:
    """What was served until a stop."""
    publication, current = publication_of(*slugs), Current(kept)
    keep(current, publication)
    current.publish(publication)
    current.leave_gzip()
    return publication


def test_a_stop_leaves_the_gzip_for_the_next_start(tmp_path: Path) -> None:
    kept = tmp_path / "document.json"
    served, after = stopped(kept, "a"), Current(kept)
    assert after.restore() is True
    assert after.publication is not None
    assert after.publication.gzipped == served.gzipped
    assert not after.publication.pieces, "nobody waits until it is read"
    assert (after.publication.body, after.publication.digest) == (served.body, served.digest)


def test_a_gzip_is_of_a_document_that_was_copied_too(tmp_path: Path) -> None:
    kept = tmp_path / "document.json"
    served, after = stopped(kept, "a"), Current(kept)
    os.utime(kept, ns=(1, 1))
    assert after.restore() is True
    assert after.publication is not None
    assert (after.publication.pieces, after.publication.gzipped) == ((served.body,), served.gzipped)


def test_a_document_that_was_changed_since_the_stop_is_read_and_refused(tmp_path: Path) -> None:
    kept = tmp_path / "document.json"
    served, after = stopped(kept, "a"), Current(kept)
    kept.write_bytes(b"x" * 100 + served.body[100:])
    os.utime(kept, ns=(1, 1))
    assert after.restore() is False


def test_a_torn_document_beside_the_kept_one_does_not_take_its_place(tmp_path: Path) -> None:
    """Though it ends like the one that the last stop left: a power cut wrote its end alone."""
    kept = tmp_path / "document.json"
    served, after = stopped(kept, "a"), Current(kept)
    (tmp_path / "document.json.new").write_bytes(b"\0" * 100 + served.body[100:])
    assert after.restore() is True
    after.settle()
    assert kept.read_bytes() == served.body


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda gzip: gzip[:-1], lambda gzip: gzip[:100] + b"x" + gzip[101:]]
)
def test_a_gzip_that_is_not_whole_is_made_anew(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    kept = tmp_path / "document.json"
    served, left = stopped(kept, "a"), kept.with_suffix(".gzip")
    left.write_bytes(damage(left.read_bytes()))
    after = Current(kept)
    after.restore()
    assert after.publication is not None
    assert after.publication.gzipped == b""
    after.settle()
    assert gzip.decompress(after.publication.gzipped) == served.body


def test_a_gzip_of_another_document_is_none_of_this(tmp_path: Path) -> None:
    """A daemon that died since has left none of its own."""
    kept = tmp_path / "document.json"
    stopped(kept, "a")
    keep(Current(kept), document_of("b"))
    after = Current(kept)
    after.restore()
    assert after.publication is not None
    assert (after.publication.body, after.publication.gzipped) == (document_of("b").body, b"")


def test_a_gzip_is_as_private_as_the_document(tmp_path: Path) -> None:
    kept = tmp_path / "document.json"
    keep(Current(kept), document_of("a"))
    kept.chmod(0o600)
    stopped(kept, "a")
    assert stat.S_IMODE(kept.with_suffix(".gzip").stat().st_mode) == 0o600


def test_the_newest_kept_document_is_the_one_that_is_restored(tmp_path: Path) -> None:
    current = Current(tmp_path / "document.json")
    for slugs in (("a",), ("a", "b"), ("b",)):
        keep(current, document_of(*slugs))
    after = Current(tmp_path / "document.json")
    after.restore()
    assert after.publication is not None
    assert after.publication.body == document_of("b").body
    assert [path.name for path in tmp_path.iterdir()] == ["document.json"]


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b"{}",
        document_of("a").body[:-1],
        document_of("a").body[: len(document_of("a").body) // 2],
        document_of("a").body.replace(b"10.0.0.1", b"10.0.0.2"),
        b"\xff\x00" + document_of("a").body[2:],
    ],
)
def test_a_torn_kept_document_is_refused(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "document.json").write_bytes(torn)
    current = Current(tmp_path / "document.json")
    assert current.restore() is False
    assert current.publication is None


def test_what_is_half_written_beside_it_is_not_taken_for_it(tmp_path: Path) -> None:
    current = Current(tmp_path / "document.json")
    keep(current, document_of("a"))
    (tmp_path / "document.new").write_bytes(b"half")
    assert current.restore() is True
    assert keep(current, document_of("b")) is None


def test_a_document_that_cannot_be_kept_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    current = Current(tmp_path / "state" / "document.json")
    assert isinstance(keep(current, document_of("a")), RegistryError)
    assert current.restore() is False


def test_publishing_wakes_who_waits_on_the_one_before() -> None:
    current = Current(Path("nowhere"))
    first, second = publication_of("a"), publication_of("b")
    current.publish(first)
    assert not first.superseded.is_set()
    current.publish(second)
    assert first.superseded.is_set()
    assert not second.superseded.is_set()
    assert current.publication is second


def test_closing_wakes_who_waits_on_the_present_one() -> None:
    current = Current(Path("nowhere"))
    current.close()
    current.publish(publication := publication_of("a"))
    current.close()
    assert publication.superseded.is_set()
    assert current.closing.is_set()


def test_the_same_body_is_the_same_gzip() -> None:
    assert publication_of("a").gzipped == publication_of("a").gzipped


def test_the_bodies_are_what_was_rendered() -> None:
    document, publication = document_of("a"), publication_of("a")
    assert publication.body == document.body
    assert gzip.decompress(publication.gzipped) == document.body
    assert publication.digest == document.digest


def test_a_document_that_was_written_and_not_synced_outlives_the_process(tmp_path: Path) -> None:
    current, newer = Current(tmp_path / "document.json"), document_of("a", "b")
    keep(current, document_of("a"))
    assert current.write(newer.pieces) is None  # and dies before `sync`
    after = Current(tmp_path / "document.json")
    assert after.restore() is True
    assert after.publication is not None
    assert after.publication.body == newer.body


def test_the_only_copy_of_what_was_served_is_not_written_over(tmp_path: Path) -> None:
    kept, served = tmp_path / "document.json", document_of("b")
    assert keep(Current(kept), document_of("a")) is None
    assert Current(kept).write(served.pieces) is None  # and a crash
    again = Current(kept)
    assert again.restore()
    again.settle()
    kept.with_name("document.json.new").write_bytes(b'{"http": ')  # and one within the next
    after = Current(kept)
    assert after.restore()
    assert after.publication is not None
    assert after.publication.body == served.body


@pytest.mark.parametrize("left", [b"", document_of("a", "b").body[:-1], b"\0" * 4096])
def test_a_power_cut_before_the_sync_leaves_the_document_before(
    tmp_path: Path, left: bytes
) -> None:
    current = Current(tmp_path / "document.json")
    keep(current, document_of("a"))
    (tmp_path / "document.json.new").write_bytes(left)
    after = Current(tmp_path / "document.json")
    assert after.restore() is True
    assert after.publication is not None
    assert after.publication.body == document_of("a").body


def test_the_kept_document_stays_as_private_as_somebody_made_it(tmp_path: Path) -> None:
    kept = tmp_path / "document.json"
    current = Current(kept)
    keep(current, document_of("a"))
    kept.chmod(0o600)
    assert keep(current, document_of("a", "b")) is None
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_link_in_the_place_of_the_kept_document_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "document.json"
    link.symlink_to(tmp_path / "elsewhere" / "document.json")
    assert keep(Current(link), document_of("a")) is None
    assert link.is_symlink()
    assert link.read_bytes() == document_of("a").body
