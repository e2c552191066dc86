"""A catalogue file as it was read: its bytes, and where each record stands in them.

An edited file is read from the one before it: only what stands between the common beginning and
the common end is taken apart. Pure functions of bytes; what is in doubt is read from scratch.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from registry.differing import Sequel
from registry.engines.catalogue_text import CatalogueText, split, unreadable
from registry.engines.content import Content, Splice, common_ends
from registry.entries import Place, RawRecord
from registry.errors import CatalogueUnreadable
from registry.json_text import line_column

_SENTINEL = "{}"


@dataclass(frozen=True, eq=False)
class ReadFile:
    """The file's bytes; `starts` are the offsets of the records in them, `sizes` their lengths.

    `around` is the text around the records, of which `head_bytes` and `tail_bytes` are the length.
    `taken_apart` are the bytes that were parsed to know this.
    """

    content: Content
    source: str
    around: CatalogueText
    head_bytes: int
    tail_bytes: int
    starts: array[int]
    sizes: array[int]
    records: Sequel[RawRecord]
    taken_apart: int

    def end(self, index: int) -> int:
        """The offset behind a record."""
        return self.starts[index] + self.sizes[index]

    @cached_property
    def _lines(self) -> list[tuple[int, int]]:
        """Of each record the number of its line, and where that line begins."""
        whole, lines, line, begin, seen = bytes(self.content), [], 1, 0, 0
        for start in self.starts:
            line += whole.count(b"\n", seen, start)
            begin = max(begin, whole.rfind(b"\n", seen, start) + 1)
            seen = start
            lines.append((line, begin))
        return lines

    def place(self, index: int) -> Place:
        """Where a record begins; the lines are counted when the first is asked for."""
        line, begin = self._lines[index]
        before = self.content.between(begin, self.starts[index])
        return Place(self.source, line, len(before.decode()) + 1)


def read_anew(
    content: Content, source: str, keys: Iterator[str], known: ReadFile | None = None
) -> ReadFile:
    """The whole file taken apart. Raises CatalogueUnreadable, with line and column.

    A record with the text of a known one is that object.
    """
    text = _decoded(bytes(content), source)
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
        array("q", [end - start for start, end in offsets]),
        Sequel(records),
        len(content),
    )


def read_edited(known: ReadFile, content: Content, keys: Iterator[str]) -> ReadFile | None:
    """The file after an edit, the same as `read_anew` gives; None where that must look."""
    same, same_at_end = common_ends(known.content, content)
    if same < known.head_bytes or same_at_end < known.tail_bytes:
        return None
    # What follows a kept record is as it was, so that the record ends where it did.
    first = bisect_left(range(len(known.starts)), same, key=known.end)
    last = bisect_left(known.starts, len(known.content) - same_at_end)
    moved = len(content) - len(known.content)
    begin = known.end(first - 1) if first else known.head_bytes
    is_last = last == len(known.starts)
    end = len(content) - known.tail_bytes if is_last else known.starts[last] + moved
    found = _between(content.between(begin, end), after=first > 0, before=not is_last)
    if found is None:
        return None
    text, spans = found
    offsets = list(_byte_offsets(text, spans, 0))
    texts = [text[start:stop] for start, stop in spans]
    middle = _records(texts, known.records[first:last], keys)
    return replace(
        known,
        content=content,
        starts=known.starts[:first]
        + array("q", [start + begin for start, _ in offsets])
        + _shifted(known.starts[last:], moved),
        sizes=known.sizes[:first]
        + array("q", [stop - start for start, stop in offsets])
        + known.sizes[last:],
        records=known.records.with_run(first, last, middle),
        taken_apart=end - begin,
    )


def with_texts(
    known: ReadFile, texts: Mapping[int, str | None], added: Sequence[str], keys: Iterator[str]
) -> ReadFile | None:
    """The file after a write: other texts for some records by index, and more at the end.

    None takes a record away. The same as `read_anew` gives of its content, where the file is laid
    out as `join` does it and texts have the white space of their places; None where no record
    would be left of those that are.
    """
    if all(texts.get(index, "") is None for index in range(len(known.records))):
        return None
    starts, sizes, done, moved = array("q"), array("q"), 0, 0
    splices = list(_splices(known, texts))
    for index, splice in zip(sorted(texts), splices, strict=True):
        starts += _shifted(known.starts[done:index], moved)
        sizes += known.sizes[done:index]
        if texts[index] is not None:
            starts.append(known.starts[index] + moved)
            sizes.append(len(splice.new))
        moved += len(splice.new) - (splice.stop - splice.start)
        done = index + 1
    starts += _shifted(known.starts[done:], moved)
    sizes += known.sizes[done:]
    between = f",\n{known.around.indent}".encode()
    for text in added:
        starts.append(starts[-1] + sizes[-1] + len(between))
        sizes.append(len(text.encode()))
    more = b"".join(between + text.encode() for text in added)
    end = known.end(len(known.starts) - 1)
    splices.append(Splice(end, end, more))
    return replace(
        known,
        content=known.content.spliced(splices),
        starts=starts,
        sizes=sizes,
        records=_with_records(known.records, texts, added, keys),
        taken_apart=0,
    )


def _with_records(
    known: Sequel[RawRecord],
    texts: Mapping[int, str | None],
    added: Sequence[str],
    keys: Iterator[str],
) -> Sequel[RawRecord]:
    made = {index: RawRecord(next(keys), text) for index, text in texts.items() if text is not None}
    new = [RawRecord(next(keys), text) for text in added]
    if not texts:
        return known.with_run(len(known), len(known), new)
    if len(made) == len(texts) and not new:
        return known.with_items(made)
    gone = texts.keys() - made.keys()
    kept = (made.get(index, each) for index, each in enumerate(known) if index not in gone)
    return Sequel((*kept, *new))


def _splices(known: ReadFile, texts: Mapping[int, str | None]) -> Iterator[Splice]:
    """A record that goes takes the comma before it along; one that all before go with, after it."""
    is_first = True
    for index, text in sorted(texts.items()):
        start, end = known.starts[index], known.end(index)
        is_first = is_first and (index == 0 or texts.get(index - 1, "") is None)
        if text is not None:
            yield Splice(start, end, text.encode())
        elif is_first:
            yield Splice(start, known.starts[index + 1], b"")
        else:
            yield Splice(known.end(index - 1), end, b"")


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


def _shifted(offsets: array[int], by: int) -> array[int]:
    return array("q", [offset + by for offset in offsets]) if by else offsets
