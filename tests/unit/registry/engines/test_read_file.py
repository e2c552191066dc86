"""An edited file read from the one before it: the same as read from scratch, for less work."""

from __future__ import annotations

import json
import random
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.engines.catalogue_text import join
from registry.engines.content import Content, common_beginning, common_end
from registry.engines.read_file import ReadFile, read_anew, read_edited, with_texts
from registry.errors import CatalogueUnreadable

RECORDS = st.sampled_from(
    [
        '{"slug": "a"}',
        '{\n  "slug": "é",\n  "n": [1, 2]\n}',
        '{"slug": "ê", "text": "]},{"}',
        '{"😀": "😁"}',
        '{"slug":\r\n "crlf"}',
        "12",
        "1",
        "[]",
        '"x"',
        "null",
    ]
)
BETWEEN = st.sampled_from([",", ", ", ",\n    ", " ,\r\n", "\n,\n"])
FRAMES = st.sampled_from(
    [
        ("[", "]"),
        ("[\n", "\n]\n"),
        ('{"version": 1, "environments": [', "]}"),
        ('\ufeff{"é": [1],\n "environments": [ ', ' ],\r\n "notes": "ê"}\n'),
    ]
)
_SNIPPETS = [",", "]", "[", "{", "}", '"', "1", "é", "{},", ",{}", "trailing", "NaN", "😀"]
_MORE = [b"", b" ", b"\n", b"\r\n", b"\xc3", b"\xaa", b'], "more": [', b'{"slug": "new"},']
INSERTED = st.sampled_from([*(each.encode() for each in _SNIPPETS), *_MORE])


@st.composite
def catalogues(draw: st.DrawFn) -> bytes:
    """A whole file, in one of the layouts that people use."""
    head, tail = draw(FRAMES)
    records = draw(st.lists(RECORDS, max_size=6))
    body = "".join(f"{draw(BETWEEN) if index else ''}{each}" for index, each in enumerate(records))
    return f"{head}{body}{tail}".encode()


@st.composite
def edits(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A file, and the same after somebody cut and pasted anywhere, mid-character too."""
    before = draw(catalogues())
    after = before
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(after)))
        stop = draw(st.integers(start, min(len(after), start + 12)))
        after = after[:start] + draw(INSERTED) + after[stop:]
    return before, after


def facts(file: ReadFile) -> object:
    """Everything that is told of a file; keys apart."""
    records = [(raw.text, file.place(index)) for index, raw in enumerate(file.records)]
    frame = (file.around.head, file.around.tail, file.head_bytes, file.tail_bytes)
    return records, list(file.starts), list(file.sizes), frame, bytes(file.content)


def incremental(before: bytes, after: bytes) -> object:
    """What the edited file holds, or the words it is refused with, as the engine finds out."""
    keys = map(str, count())
    known, new = read_anew(Content.of(before), "c.json", keys), Content.of(after)
    try:
        file = read_edited(known, new, keys) or read_anew(new, "c.json", keys, known)
    except CatalogueUnreadable as error:
        return str(error), error.facts
    assert len({raw.key for raw in file.records}) == len(file.records)
    return facts(file)


def from_scratch(before: bytes, after: bytes) -> object:
    """The same, without having known the file before."""
    del before
    try:
        return facts(read_anew(Content.of(after), "c.json", map(str, count())))
    except CatalogueUnreadable as error:
        return str(error), error.facts


@given(edits())
@example((b'[12,{"a": 1}]', b'[123,{"a": 1}]'))
@example((b"[1, 2]", b"[1, 2,]"))
@example((b'[{"a": 1}]', b'[{"a": 1}{}]'))
@example((b"[1,1,1]", b"[1,1]"))
@example(('[{}, "é"]'.encode(), '[{}, "ê"]'.encode()))
def test_an_edit_anywhere_is_read_as_from_scratch(edit: tuple[bytes, bytes]) -> None:
    assert incremental(*edit) == from_scratch(*edit)


@given(catalogues(), catalogues())
def test_another_file_in_its_place_is_read_as_from_scratch(before: bytes, after: bytes) -> None:
    assert incremental(before, after) == from_scratch(before, after)


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_what_is_common_is_as_long_as_can_be(start: bytes, old: bytes, new: bytes) -> None:
    one, other = start + old + start, start + new + start
    length = common_beginning(one, other)
    assert one[:length] == other[:length]
    assert length == min(len(one), len(other)) or one[length] != other[length]
    tail = common_end(one, other, length)
    assert one[len(one) - tail :] == other[len(other) - tail :]
    assert length + tail <= min(len(one), len(other))


@pytest.mark.parametrize("records", [20, 2000])
def test_what_did_not_change_stays_the_same_object_and_is_not_parsed(records: int) -> None:
    texts = [f'{{"slug": "r{index:05d}", "é": "{"x" * 40}"}}' for index in range(records)]
    before = f'{{"environments": [{", ".join(texts)}]}}'.encode()
    known = read_anew(Content.of(before), "c.json", map(str, count()))
    edited = Content.of(before.replace(b"r00011", b"other-slug"))
    after = read_edited(known, edited, map(str, count(records)))
    assert after is not None
    apart = [new for old, new in zip(known.records, after.records, strict=True) if new is not old]
    assert [raw.text for raw in apart] == [texts[11].replace("r00011", "other-slug")]
    assert after.taken_apart == len(f", {texts[11]}, ".encode()) + len("other-slug") - len("r00011")


@pytest.mark.parametrize("seed", range(20))
def test_a_file_after_a_write_is_as_if_read_from_scratch(seed: int) -> None:
    chance = random.Random(seed)
    records = [json.dumps({"n": n, "name": "ä€x"[: n % 4]}, ensure_ascii=False) for n in range(9)]
    keys = map(str, count())
    content = (
        '{\n  "version": 1,\n  "environments": [\n    ' + ",\n    ".join(records) + "\n  ]\n}\n"
    )
    known = read_anew(Content.of(content.encode()), "f", keys)
    for _ in range(8):
        chosen = chance.sample(
            range(len(known.records)), chance.randrange(min(4, len(known.records)))
        )
        texts: dict[int, str | None] = {
            n: json.dumps({"é" * chance.randrange(9): n}, ensure_ascii=False) for n in chosen
        }
        texts.update(dict.fromkeys(chosen[: chance.randrange(3)]))
        added = [json.dumps({"new": "ü" * n}) for n in range(chance.randrange(3))]
        kept = [texts.get(n, each.text) for n, each in enumerate(known.records)]
        after = with_texts(known, texts, added, keys)
        assert after is not None
        known = after
        anew = read_anew(known.content, "f", map(str, count()))
        assert (known.starts, known.sizes) == (anew.starts, anew.sizes)
        assert [each.text for each in known.records] == [each.text for each in anew.records]
        assert [each.text for each in known.records] == [*filter(None, kept), *added]
        laid_out = join(known.around, [each.text for each in known.records])
        assert bytes(known.content).decode() == laid_out
        assert len({each.key for each in known.records}) == len(known.records)


def test_a_write_that_leaves_none_of_the_records_is_laid_out_anew() -> None:
    known = read_anew(Content.of(b'[{"a": 1}, {"b": 2}]'), "f", map(str, count()))
    assert with_texts(known, {0: None, 1: None}, ['{"c": 3}'], map(str, count(2))) is None
