"""A catalogue file as it was read: its bytes, and where each record stands in them.

An edited file is read from the one before it: only what stands between the common beginning and
the common end is taken apart. Pure functions of bytes; what is in doubt is read from scratch.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from registry.engines.catalogue_text import CatalogueText, split, unreadable
from registry.errors import CatalogueUnreadable
from registry.json_text import line_column
from registry.snapshot import Place, RawRecord

_CHUNK_BYTES = 64 * 1024
_SENTINEL = "{}"


@dataclass(frozen=True, eq=False)
class ReadFile:
    """The file's bytes; `starts` and `ends` are the offsets of the records in them.

    `around` is the text around the records, of which `head_bytes` and `tail_bytes` are the length.
    `taken_apart` are the bytes that were parsed to know this.
    """

    content: bytes
    source: str
    around: CatalogueText
    head_bytes: int
    tail_bytes: int
    starts: array[int]
    ends: array[int]
    records: tuple[RawRecord, ...]
    taken_apart: int

    @cached_property
    def _lines(self) -> array[int]:
        lines, line, seen = array("q"), 1, 0
        for start in self.starts:
            line += self.content.count(b"\n", seen, start)
            seen = start
            lines.append(line)
        return lines

    def place(self, index: int) -> Place:
        """Where a record begins; the lines are counted when the first is asked for."""
        start = self.starts[index]
        before = self.content[self.content.rfind(b"\n", 0, start) + 1 : start]
        return Place(self.source, self._lines[index], len(before.decode()) + 1)


def read_anew(
    content: bytes, source: str, keys: Iterator[str], known: ReadFile | None = None
) -> ReadFile:
    """The whole file taken apart. Raises CatalogueUnreadable, with line and column.

    A record with the text of a known one is that object.
    """
    text = _decoded(content, source)
    found = split(text, source)
    offsets = list(_byte_offsets(text, found.spans, 0))
    texts = [text[start:end] for start, end in found.spans]
    records = _records(texts, known.records if known else (), keys)
    return ReadFile(
        content,
        source,
        replace(found, spans=()),
        len(found.head.encode()),
        len(found.tail.encode()),
        array("q", [start for start, _ in offsets]),
        array("q", [end for _, end in offsets]),
        records,
        len(content),
    )


def read_edited(known: ReadFile, content: bytes, keys: Iterator[str]) -> ReadFile | None:
    """The file after an edit, the same as `read_anew` gives; None where that must look."""
    same = common_beginning(known.content, content)
    same_at_end = common_end(known.content, content, same)
    if same < known.head_bytes or same_at_end < known.tail_bytes:
        return None
    # What follows a kept record is as it was, so that the record ends where it did.
    first = bisect_left(known.ends, same)
    last = bisect_left(known.starts, len(known.content) - same_at_end)
    moved = len(content) - len(known.content)
    begin = known.ends[first - 1] if first else known.head_bytes
    is_last = last == len(known.starts)
    end = len(content) - known.tail_bytes if is_last else known.starts[last] + moved
    found = _between(content[begin:end], after=first > 0, before=not is_last)
    if found is None:
        return None
    text, spans = found
    offsets = [(start + begin, stop + begin) for start, stop in _byte_offsets(text, spans, 0)]
    texts = [text[start:stop] for start, stop in spans]
    middle = _records(texts, known.records[first:last], keys)
    return replace(
        known,
        content=content,
        starts=_spliced(known.starts, first, last, [start for start, _ in offsets], moved),
        ends=_spliced(known.ends, first, last, [stop for _, stop in offsets], moved),
        records=(*known.records[:first], *middle, *known.records[last:]),
        taken_apart=end - begin,
    )


def with_texts(
    known: ReadFile, texts: Mapping[int, str], added: Sequence[str], keys: Iterator[str]
) -> ReadFile:
    """The file after a write: other texts for some records by index, and more at the end.

    The same as `read_anew` gives of its content. Texts have the white space of their places;
    there is at least one record.
    """
    whole, seen, moved = memoryview(known.content), 0, 0  # of which slices are not copies
    pieces: list[bytes | memoryview] = []
    starts, ends, records, done = array("q"), array("q"), list(known.records), 0
    for index in sorted(texts):
        start, end, new = known.starts[index], known.ends[index], texts[index].encode()
        pieces += [whole[seen:start], new]
        starts += _shifted(known.starts[done : index + 1], moved)
        ends += _shifted(known.ends[done:index], moved)
        moved += len(new) - (end - start)
        ends.append(end + moved)
        records[index] = RawRecord(next(keys), texts[index])
        seen, done = end, index + 1
    starts += _shifted(known.starts[done:], moved)
    ends += _shifted(known.ends[done:], moved)
    pieces.append(whole[seen : max(seen, known.ends[-1])])
    between = f",\n{known.around.indent}".encode()
    for text in added:
        new = text.encode()
        pieces += [between, new]
        starts.append(ends[-1] + len(between))
        ends.append(starts[-1] + len(new))
        records.append(RawRecord(next(keys), text))
    pieces.append(whole[max(seen, known.ends[-1]) :])
    return replace(
        known,
        content=b"".join(pieces),
        starts=starts,
        ends=ends,
        records=tuple(records),
        taken_apart=0,
    )


def common_beginning(old: bytes, new: bytes) -> int:
    """How many bytes are the same from the start."""
    limit = min(len(old), len(new))
    return _alike(limit, lambda at, stop: old[at:stop] == new[at:stop])


def common_end(old: bytes, new: bytes, beginning: int) -> int:
    """How many bytes are the same at the end, behind a common beginning."""
    a, b = len(old), len(new)
    limit = min(a, b) - beginning
    return _alike(limit, lambda at, stop: old[a - stop : a - at] == new[b - stop : b - at])


def _alike(limit: int, is_same: Callable[[int, int], bool]) -> int:
    """How far two sides are the same, of `limit` bytes, by larger and then ever smaller steps."""
    at, size = 0, _CHUNK_BYTES
    while size and at < limit:
        stop = at + min(size, limit - at)
        if is_same(at, stop):
            at = stop
        else:
            size = (stop - at) // 2
    return at


def _between(
    piece: bytes, *, after: bool, before: bool
) -> tuple[str, list[tuple[int, int]]] | None:
    """The records in a piece of the list; a kept record may stand after it, or before."""
    try:
        text = piece.decode()
        lead, trail = _SENTINEL * after, _SENTINEL * before
        whole = f"[{lead}{text}{trail}]"
        spans = list(split(whole, "").spans)
    except (UnicodeDecodeError, CatalogueUnreadable):
        return None
    if before and (not spans or spans.pop() != (len(whole) - 3, len(whole) - 1)):
        return None
    if after:
        del spans[0]
    shift = 1 + len(lead)
    return text, [(start - shift, end - shift) for start, end in spans]


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = line_column(before, len(before))
        raise unreadable(source, "a byte is not UTF-8", line, column) from error


def _byte_offsets(
    text: str, spans: list[tuple[int, int]] | tuple[tuple[int, int], ...], at: int
) -> Iterator[tuple[int, int]]:
    if text.isascii():
        yield from spans
        return
    seen = 0
    for start, end in spans:
        begin = at + len(text[seen:start].encode())
        at = begin + len(text[start:end].encode())
        seen = end
        yield begin, at


def _records(
    texts: list[str], known: tuple[RawRecord, ...], keys: Iterator[str]
) -> tuple[RawRecord, ...]:
    by_text: Mapping[str, list[RawRecord]] = {}
    if known:
        by_text = {record.text: [] for record in known}
        for record in reversed(known):
            by_text[record.text].append(record)
    return tuple(
        same.pop() if (same := by_text.get(text)) else RawRecord(next(keys), text) for text in texts
    )


def _spliced(old: array[int], first: int, last: int, new: list[int], moved: int) -> array[int]:
    return old[:first] + array("q", new) + _shifted(old[last:], moved)


def _shifted(offsets: array[int], by: int) -> array[int]:
    return array("q", [offset + by for offset in offsets]) if by else offsets
