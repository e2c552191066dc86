"""The publication in force, and its copy on disk that survives a restart."""

from __future__ import annotations

import gzip
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


def keep(current: Current, *slugs: str) -> RegistryError | None:
    """What a pass does: write it, and make it durable; the error, when one of them fails."""
    return current.write(publication_of(*slugs)) or current.sync()


def kept_bytes(folder: Path, *slugs: str) -> bytes:
    """What is on disk of a document that was kept."""
    kept = folder / "elsewhere.gz"
    keep(Current(kept), *slugs)
    content = kept.read_bytes()
    kept.unlink()
    return content


def test_without_a_kept_document_there_is_nothing_to_restore(tmp_path: Path) -> None:
    current = Current(tmp_path / "state" / "document.json.gz")
    assert current.restore() is False
    assert current.publication is None


def test_a_kept_document_survives_a_restart(tmp_path: Path) -> None:
    kept, served = tmp_path / "state" / "document.json.gz", publication_of("a")
    assert keep(Current(kept), "a") is None
    after = Current(kept)
    assert after.restore() is True
    after.settle()
    assert after.publication is not None
    assert after.publication.digest == served.digest
    assert (after.publication.gzipped, after.publication.body) == (served.gzipped, served.body)


def test_a_kept_document_can_be_read_with_zcat(tmp_path: Path) -> None:
    keep(Current(tmp_path / "document.json.gz"), "a")
    with gzip.open(tmp_path / "document.json.gz") as file:
        assert file.read() == document_of("a").body


def test_the_newest_kept_document_is_the_one_that_is_restored(tmp_path: Path) -> None:
    current = Current(tmp_path / "document.json.gz")
    for slugs in (("a",), ("a", "b"), ("b",)):
        keep(current, *slugs)
    after = Current(tmp_path / "document.json.gz")
    after.restore()
    assert after.publication is not None
    assert after.publication.body == document_of("b").body
    assert [path.name for path in tmp_path.iterdir()] == ["document.json.gz"]


@pytest.mark.parametrize(
    "torn",
    [
        lambda _whole: b"",
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[1:],
        lambda whole: whole + b"x",
        lambda whole: whole.replace(document_of("a").digest.encode(), b"0" * 16, 1),
        lambda whole: whole[:200] + bytes(8) + whole[208:],
        lambda whole: bytes(len(whole)),
        lambda _whole: publication_of("a").gzipped,
        lambda _whole: publication_of("a").body,
    ],
)
def test_a_torn_kept_document_is_refused(tmp_path: Path, torn: Callable[[bytes], bytes]) -> None:
    (tmp_path / "document.json.gz").write_bytes(torn(kept_bytes(tmp_path, "a")))
    current = Current(tmp_path / "document.json.gz")
    assert current.restore() is False
    assert current.publication is None


def test_what_is_half_written_beside_it_is_not_taken_for_it(tmp_path: Path) -> None:
    current = Current(tmp_path / "document.json.gz")
    keep(current, "a")
    (tmp_path / "document.json.gz.new").write_bytes(b"half")
    assert current.restore() is True
    assert keep(current, "b") is None


def test_a_document_that_cannot_be_kept_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    current = Current(tmp_path / "state" / "document.json.gz")
    assert isinstance(keep(current, "a"), RegistryError)
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
    current, newer = Current(tmp_path / "document.json.gz"), publication_of("a", "b")
    keep(current, "a")
    assert current.write(newer) is None  # and dies before `sync`
    after = Current(tmp_path / "document.json.gz")
    assert after.restore() is True
    assert after.publication is not None
    assert after.publication.body == newer.body


def test_the_only_copy_of_what_was_served_is_not_written_over(tmp_path: Path) -> None:
    kept, served = tmp_path / "document.json.gz", publication_of("b")
    assert keep(Current(kept), "a") is None
    assert Current(kept).write(served) is None  # and a crash
    again = Current(kept)
    assert again.restore()
    again.settle()
    kept.with_name("document.json.gz.new").write_bytes(b"\x1f\x8b")  # and one within the next
    after = Current(kept)
    assert after.restore()
    assert after.publication is not None
    assert after.publication.body == served.body


@pytest.mark.parametrize("left", [0, -8, -100])
def test_a_power_cut_before_the_sync_leaves_the_document_before(tmp_path: Path, left: int) -> None:
    current, newer = Current(tmp_path / "document.json.gz"), kept_bytes(tmp_path, "a", "b")
    keep(current, "a")
    (tmp_path / "document.json.gz.new").write_bytes(newer[:left] + bytes(len(newer[left:])))
    after = Current(tmp_path / "document.json.gz")
    assert after.restore() is True
    assert after.publication is not None
    assert after.publication.body == document_of("a").body


def test_the_kept_document_stays_as_private_as_somebody_made_it(tmp_path: Path) -> None:
    kept = tmp_path / "document.json.gz"
    current = Current(kept)
    keep(current, "a")
    kept.chmod(0o600)
    assert keep(current, "a", "b") is None
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_link_in_the_place_of_the_kept_document_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "document.json.gz"
    link.symlink_to(tmp_path / "elsewhere" / "document.json.gz")
    assert keep(Current(link), "a") is None
    assert link.is_symlink()
    assert gzip.decompress(link.read_bytes()) == document_of("a").body
