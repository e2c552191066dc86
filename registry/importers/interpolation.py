"""Variables in a compose file: `${VAR:-default}` and its kin, and the values of `.env`.

Source: https://docs.docker.com/reference/compose-file/interpolation/.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dotenv.parser import Binding, parse_stream

_NESTING_MAX = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A value with its variables replaced; `warnings` are sentences that begin with a place."""

    value: Any
    warnings: tuple[str, ...]


def interpolate(value: Any, environ: Mapping[str, str]) -> Interpolated:
    """Replaces the variables in every text of a value; keys stay as they are.

    A variable that is not set and has no default is an empty text and a warning. Raises ValueError
    for `:?` of a variable that is not set, and for what is malformed, with the place and the text.
    """
    warnings: dict[str, None] = {}
    return Interpolated(_replaced(value, "", environ, warnings), tuple(warnings))


def env_file_values(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a `.env` file under those of the shell: `environ` wins over the file.

    Single-quoted values are literal, others may name variables of the shell or of lines above.
    Raises ValueError with the number of the line.
    """
    values = dict(environ)
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise ValueError(f".env, line {_line(binding)}: not `NAME=value`")
        if binding.key is None or binding.value is None or binding.key in environ:
            continue
        values[binding.key] = _file_value(binding, values)
    return values


def _file_value(binding: Binding, values: Mapping[str, str]) -> str:
    written = binding.original.string.partition("=")[2].lstrip()
    if written.startswith("'") or "$" not in (binding.value or ""):
        return binding.value or ""
    place = f".env, line {_line(binding)}"
    return _Template(binding.value or "", place, values, {}).text()


def _line(binding: Binding) -> int:
    # The parser counts blank lines before a binding as part of it.
    written = binding.original.string
    return binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")


def _replaced(value: Any, place: str, environ: Mapping[str, str], warnings: dict[str, None]) -> Any:
    if isinstance(value, str):
        return _Template(value, place, environ, warnings).text() if "$" in value else value
    if isinstance(value, Mapping):
        return {
            key: _replaced(child, f"{place}.{key}" if place else str(key), environ, warnings)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [
            _replaced(child, f"{place}[{index}]", environ, warnings)
            for index, child in enumerate(value)
        ]
    return value


@dataclass(slots=True)
class _Template:
    """One text with variables, read from its start; what is not used is not warned of."""

    source: str
    place: str
    environ: Mapping[str, str]
    warnings: dict[str, None]
    _at: int = field(default=0)

    def text(self) -> str:
        return self._until("", used=True, depth=0)

    def _until(self, end: str, *, used: bool, depth: int) -> str:
        if depth > _NESTING_MAX:
            raise self._malformed()
        parts: list[str] = []
        while self._at < len(self.source):
            char = self.source[self._at]
            if char == end:
                return "".join(parts)
            self._at += 1
            parts.append(self._variable(used, depth) if char == "$" else char)
        if end:
            raise self._malformed()
        return "".join(parts)

    def _variable(self, used: bool, depth: int) -> str:
        following = self.source[self._at : self._at + 1]
        if following == "$":
            self._at += 1
            return "$"
        if following != "{":
            return self._plain(self._name(), used)
        self._at += 1
        value = self._braced(used, depth)
        if self.source[self._at : self._at + 1] != "}":
            raise self._malformed()
        self._at += 1
        return value

    def _braced(self, used: bool, depth: int) -> str:
        name = self._name()
        match = _OPERATOR.match(self.source, self._at)
        if match is None:
            return self._plain(name, used)
        self._at = match.end()
        value = self.environ.get(name)
        # With a colon, an empty value counts as none.
        is_set = value is not None if len(match[0]) == 1 else bool(value)
        takes_word = is_set == match[0].endswith("+")
        word = self._until("}", used=used and takes_word, depth=depth + 1)
        if match[0].endswith("+"):
            return word if is_set else ""
        if not is_set and used and match[0].endswith("?"):
            raise ValueError(f"{self.place}: the variable {name} is needed: {word or 'not set'}")
        return word if not is_set else value or ""

    def _plain(self, name: str, used: bool) -> str:
        value = self.environ.get(name)
        if value is None and used:
            warning = f"{self.place}: the variable {name} is not set; an empty text stands for it"
            self.warnings[warning] = None
        return value or ""

    def _name(self) -> str:
        match = _NAME.match(self.source, self._at)
        if match is None:
            raise self._malformed()
        self._at = match.end()
        return match[0]

    def _malformed(self) -> ValueError:
        shown = self.source if len(self.source) <= 200 else f"{self.source[:200]}…"
        return ValueError(f"{self.place}: {shown!r} is malformed; a plain '$' is written '$$'")
