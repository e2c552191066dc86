"""JSON as text with places: strict parsing, and the line and column of a JSON pointer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from pydantic_core import SchemaValidator, core_schema, from_json, to_json

_NEAR = 64 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")


class JsonFault(ValueError):
    """Text that is not the JSON we take; `offset` counts characters from its start."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class DuplicateKey(JsonFault):
    """An object that names one key twice: which of the two was meant is unknown."""


def parse(text: str) -> Any:
    """One JSON value with nothing after it. Raises JsonFault, for NaN and duplicate keys too."""
    value, end = parse_at(text, skip_space(text, 0))
    end = skip_space(text, end)
    if end != len(text):
        raise JsonFault("there is more text after the end of the JSON value", end)
    return value


def parse_compactly(text: str) -> tuple[Any, bytes]:
    """What `parse` gives, and the value's text without white space; b"" where that is in doubt.

    Where no string has an escape, equal counts of quotes show that no key was lost to another of
    its name, so that no look at each object is needed. Raises JsonFault.
    """
    if "\\" in text:
        return parse(text), b""
    try:  # pydantic's parser takes nothing that `parse` refuses, and says less of what is wrong
        value = from_json(text, allow_inf_nan=False)
        compact = to_json(value)
    except (ValueError, TypeError):
        return parse(text), b""
    return (value, compact) if compact.count(b'"') == text.count('"') else (parse(text), b"")


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at `start`, and where it ends. Raises JsonFault."""
    duplicates: list[str] = []

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            duplicates.extend(name for name in value if names.count(name) > 1)
        return value

    decoder = json.JSONDecoder(object_pairs_hook=to_object, parse_constant=_refuse_constant)
    value, end = _decode(decoder, text, start)
    if duplicates:
        quoted = json.dumps(duplicates[0], ensure_ascii=False)
        raise DuplicateKey(f"the key {quoted} stands twice in one object", start)
    return value, end


def value_end(text: str, start: int) -> int:
    """Where the JSON value that begins at `start` ends; duplicate keys pass. Raises JsonFault."""
    return _decode(_PLAIN, text, start)[1]


def object_end(text: str, start: int, closing: str) -> int | None:
    """As `value_end` of an object, at the first `closing` after it; None where that is in doubt.

    What is JSON up to there ends there: an object that is whole cannot go on. Costs half as much.
    """
    last = text.find(closing, start, start + _NEAR)
    end = last + len(closing)
    found = text[start:end]
    if last < 0 or _has(found, "NaN") or _has(found, "Infinity"):  # these two would pass
        return None
    try:
        _OBJECT.validate_json(found)
    except ValueError:
        return None
    return end


def skip_space(text: str, offset: int) -> int:
    """The offset of the next character that is not JSON white space."""
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def line_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def offset_of(text: str, path: Sequence[str]) -> int:
    """Where the value at this path begins; of a missing key, where its parent begins.

    The text must be one well-formed JSON value; `path` has keys and indexes as text.
    """
    offset = skip_space(text, 0)
    for part in path:
        child = _child(text, offset, part)
        if child is None:
            break
        offset = child
    return offset


def _has(text: str, word: str) -> bool:
    """Whether a word stands anywhere; one letter is looked for ten times as fast."""
    return word[0] in text and word in text


def _child(text: str, start: int, part: str) -> int | None:
    if text[start] not in "{[":
        return None
    is_object, index = text[start] == "{", 0
    offset = skip_space(text, start + 1)
    found = None
    while text[offset] not in "}]":
        name = str(index)
        if is_object:
            name, offset = scanstring(text, offset + 1)
            offset = skip_space(text, skip_space(text, offset) + 1)
        if name == part:
            found = offset  # of duplicate keys the last one counts, as when parsing
        offset = skip_space(text, value_end(text, offset))
        if text[offset] == ",":
            offset = skip_space(text, offset + 1)
        index += 1
    return found


def _decode(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise JsonFault(error.msg, error.pos) from error
    except RecursionError as error:
        raise JsonFault("nested too deeply", start) from error
    except ValueError as error:  # an integer of thousands of digits, NaN
        raise JsonFault(str(error), start) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Of no key, so that no value is made.
_OBJECT = SchemaValidator(core_schema.typed_dict_schema({}, extra_behavior="ignore"))
_PLAIN = json.JSONDecoder(parse_constant=_refuse_constant)
