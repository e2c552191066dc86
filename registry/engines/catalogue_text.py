"""The catalogue file as text: found apart into records, and put together again.

`{"version": 1, "environments": [...]}`, or a bare list. What surrounds the list, and the text of
every record that did not change, survives a write to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]

from registry.errors import CatalogueUnreadable
from registry.json_text import (
    DuplicateKey,
    JsonFault,
    line_column,
    object_end,
    skip_space,
    value_end,
)

VERSION = 1
EMPTY = '{\n  "version": 1,\n  "environments": []\n}\n'


@dataclass(frozen=True)
class CatalogueText:
    """A file's text around its records: `head` ends with `[`, `tail` begins with `]`."""

    head: str
    spans: tuple[tuple[int, int], ...]
    tail: str

    @property
    def indent(self) -> str:
        """White space before each record: two spaces a level."""
        return "    " if self.head.lstrip("\ufeff \t\r\n").startswith("{") else "  "


def split(text: str, source: str) -> CatalogueText:
    """Where each record stands. Raises CatalogueUnreadable with `line` and `column`."""
    try:
        return _split(text)
    except (JsonFault, IndexError, StopIteration) as error:
        offset = getattr(error, "offset", len(text))
        line, column = line_column(text, offset)
        why = str(error) if isinstance(error, JsonFault) else "the text ends too early"
        raise unreadable(source, why, line, column) from error


def unreadable(source: str, why: str, line: int = 1, column: int = 1) -> CatalogueUnreadable:
    """The error for a catalogue that cannot be read as a whole."""
    return CatalogueUnreadable(
        f"{source}:{line}:{column}: {why}; mend the file: nothing is written over it until then",
        source=source,
        line=line,
        column=column,
    )


def join(catalogue: CatalogueText, records: Iterable[str]) -> str:
    """The file's text with these records, one after the other."""
    between = "\n" + catalogue.indent
    body = ",".join(between + record for record in records)
    closing = "\n" + catalogue.indent[2:] if body else ""
    return f"{catalogue.head}{body}{closing}{catalogue.tail.rstrip()}\n"


def indented(text: str, catalogue: CatalogueText) -> str:
    """A record's own text, moved in to its level; JSON strings hold no raw newline."""
    return text.replace("\n", "\n" + catalogue.indent)


def _split(text: str) -> CatalogueText:
    start = skip_space(text, 1 if text.startswith("\ufeff") else 0)
    if start == len(text):
        raise JsonFault("the file is empty", start)
    if text[start] == "[":
        spans, end = _items(text, start)
    elif text[start] == "{":
        begin, spans, end = _object(text, start)
        start = begin
    else:
        raise JsonFault("a catalogue is an object with 'environments', or a list", start)
    return CatalogueText(text[: start + 1], spans, text[end - 1 :])


def _object(text: str, start: int) -> tuple[int, tuple[tuple[int, int], ...], int]:
    found: tuple[int, tuple[tuple[int, int], ...], int] | None = None
    seen: set[str] = set()
    offset = skip_space(text, start + 1)
    while text[offset] != "}":
        key_at, (key, offset) = offset, _key(text, offset)
        if key in seen:
            raise DuplicateKey(f"the key {key!r} stands twice in the file", key_at)
        seen.add(key)
        end = value_end(text, offset) if key != "environments" else offset
        if key == "environments":
            spans, end = _items(text, offset)
            found = (offset, spans, end)
        elif key == "version" and text[offset:end] != str(VERSION):
            raise JsonFault(f"version {text[offset:end]} is not known here; we read 1", offset)
        offset = _after_comma(text, end, "}")
    _nothing_after(text, offset + 1)
    if found is None:
        raise JsonFault("the object has no 'environments'", start)
    return found


def _key(text: str, offset: int) -> tuple[str, int]:
    if text[offset] != '"':
        raise JsonFault("a key in double quotes belongs here", offset)
    try:
        key, end = scanstring(text, offset + 1)
    except ValueError as error:
        raise JsonFault("this key's text is not closed", offset) from error
    end = skip_space(text, end)
    if text[end] != ":":
        raise JsonFault("':' belongs here", end)
    return key, skip_space(text, end + 1)


def _items(text: str, start: int) -> tuple[tuple[tuple[int, int], ...], int]:
    if text[start] != "[":
        raise JsonFault("'environments' is a list", start)
    spans = []
    closing = _closing_line(text, start)
    next_one = "," + closing[:-1] + "{"  # where all are laid out alike
    offset = skip_space(text, start + 1)
    while text[offset] != "]":
        end = object_end(text, offset, closing) or value_end(text, offset)
        spans.append((offset, end))
        if text.startswith(next_one, end):
            offset = end + len(next_one) - 1
        else:
            offset = _after_comma(text, end, "]")
    if start == 0 or text[:start].strip("\ufeff \t\r\n") == "":
        _nothing_after(text, offset + 1)
    return tuple(spans), offset + 1


def _closing_line(text: str, start: int) -> str:
    """The line that ends each record, where all are laid out alike; "" where the first is not.

    It is as far in as the first one begins.
    """
    first = text.find("{", start)
    before = text[max(0, text.rfind("\n", 0, first)) : first]
    return before + "}" if before.isspace() else ""


def _after_comma(text: str, end: int, closing: str) -> int:
    offset = skip_space(text, end)
    if text[offset] == closing:
        return offset
    if text[offset] != ",":
        raise JsonFault(f"',' or '{closing}' belongs here", offset)
    after = skip_space(text, offset + 1)
    if text[after] == closing:
        raise JsonFault(f"no ',' belongs before '{closing}'", offset)
    return after


def _nothing_after(text: str, offset: int) -> None:
    rest = skip_space(text, offset)
    if rest != len(text):
        raise JsonFault("there is more text after the end of the catalogue", rest)
