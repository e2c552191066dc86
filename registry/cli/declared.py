"""Declared records: read from YAML and JSON files, each with the place where it stands."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from registry.json_text import JsonFault, line_column, offset_of, parse
from registry.names import pointer_path
from registry.yaml_text import YamlFault, parse_documents

ENDINGS = (".yaml", ".yml", ".json")
_Path = Sequence[str | int]
_Place = Callable[[_Path], tuple[int, int]]


class NotDeclared(typer.BadParameter):
    """A file that cannot be read as declared records; says file, line and column."""


@dataclass(frozen=True)
class Declared:
    """One record, as its file has it. `place` gives line and column of a path in it."""

    value: Any
    source: str
    place: _Place

    def where(self, pointer: str) -> str:
        """`file:line:column` of a JSON pointer in the record."""
        line, column = self.place(pointer_path(pointer))
        return f"{_named(self.source)}:{line}:{column}"


def read_declared(names: Iterable[str]) -> list[Declared]:
    """All records of these files and folders, in order; `-` is standard input.

    A document is a record, a list of them, or an object with `environments`. Raises NotDeclared.
    """
    return [record for name in names for source in _sources(name) for record in _records(source)]


def _sources(name: str) -> list[str]:
    folder = Path(name)
    if name == "-" or not folder.is_dir():
        return [name]
    found = sorted(str(path) for path in folder.iterdir() if path.suffix in ENDINGS)
    if not found:
        raise NotDeclared(f"{name}: no file in it ends in {', '.join(ENDINGS)}")
    return found


def _records(source: str) -> Iterator[Declared]:
    parts = list(_json(source) if source.endswith(".json") else yaml_documents(source))
    if all(value is None for value, _ in parts):
        raise NotDeclared(
            f"{_named(source)}: it declares nothing; write `environments: []` to mean none"
        )
    for value, place in parts:
        yield from _split(value, source, place)


def _text_of(source: str) -> str:
    name = _named(source)
    try:
        # Bytes: what standard input decodes to would depend on the locale.
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise NotDeclared(f"{name}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotDeclared(f"{name}: not UTF-8, from line {line} on") from error


def _split(value: Any, source: str, place: _Place) -> Iterator[Declared]:
    before: list[str | int] = []
    if isinstance(value, dict) and "environments" in value:
        value, before = value["environments"], ["environments"]
        if not isinstance(value, list):
            reason = "`environments` is no list of records; write `environments: []` to mean none"
            raise _fault(source, place(before), reason)
    if not isinstance(value, list):
        items = [] if value is None else [(value, before)]
    else:
        items = [(each, [*before, index]) for index, each in enumerate(value)]
    for item, path in items:
        for odd in _not_finite(item, tuple(path)):
            reason = "not a number that JSON has; in quotes it is text"
            raise _fault(source, place(odd), reason)
        yield Declared(item, source, lambda inner, path=path: place([*path, *inner]))  # type: ignore[misc]


def _not_finite(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The paths of .inf, .nan, and numbers too large."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _not_finite(inner, (*path, key))


def _fault(source: str, place: tuple[int, int], reason: str) -> NotDeclared:
    return NotDeclared(f"{_named(source)}:{place[0]}:{place[1]}: {reason}")


def _named(source: str) -> str:
    return "standard input" if source == "-" else source


def yaml_documents(source: str) -> Iterator[tuple[Any, _Place]]:
    """The values of a YAML file, each with what finds its places. Raises NotDeclared."""
    try:
        for document in parse_documents(_text_of(source)):
            yield document.value, document.place_of
    except YamlFault as error:
        raise _fault(source, (error.line, error.column), str(error)) from error


def _json(source: str) -> Iterator[tuple[Any, _Place]]:
    text = _text_of(source)
    try:
        value = parse(text)
    except JsonFault as error:
        raise _fault(source, line_column(text, error.offset), str(error)) from error
    yield value, lambda path: line_column(text, offset_of(text, [str(part) for part in path]))
