"""The gzip of a publication: one plain member, made of shards that stay."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace

import pytest

from provider.publication import encode_publication

PIECES = (b'{"a":{', b'"one":1,' * 400, b'"two":2,' * 500, b"}}")
BODY = b"".join(PIECES)


def test_it_is_one_member_since_browsers_and_aiohttp_read_no_further() -> None:
    gzipped = encode_publication(PIECES, "d").gzipped
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert (reader.decompress(gzipped), reader.eof, reader.unused_data) == (BODY, True, b"")


@pytest.mark.parametrize("body", [b"", b"{}", BODY])
def test_a_body_without_pieces_is_one_piece(body: bytes) -> None:
    assert gzip.decompress(encode_publication((body,), "d").gzipped) == body


def test_what_came_before_has_no_say_in_the_bytes() -> None:
    other = (PIECES[0], b'"three":3,' * 300, *PIECES[2:])
    before = encode_publication(other, "d")
    after = encode_publication(PIECES, "d", before)
    assert after.gzipped == encode_publication(PIECES, "d").gzipped
    assert after.gzipped[4:8] == bytes(4), "no time stamp"


def test_only_pieces_that_are_new_are_compressed_and_old_ones_forgotten() -> None:
    before = encode_publication(PIECES, "d")
    changed = (PIECES[0], b'"three":3,' * 300, *PIECES[2:])
    after = encode_publication(changed, "d", before)
    assert after.shards.keys() == set(changed)
    assert all(after.shards[each] is before.shards[each] for each in changed if each in PIECES)


def test_a_piece_that_stands_twice_is_read_twice() -> None:
    assert gzip.decompress(encode_publication(PIECES * 2, "d").gzipped) == BODY * 2


def test_what_was_found_in_one_form_has_the_body_and_its_size_too() -> None:
    made = encode_publication(PIECES, "d")
    for found in (replace(made, pieces=()), replace(made, gzipped=b""), made):
        assert (found.body, found.size_bytes) == (BODY, len(BODY))
