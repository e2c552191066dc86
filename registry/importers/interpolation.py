"""Variables in compose files and `.env` files, as compose reads them.

Source: https://docs.docker.com/reference/compose-file/interpolation/ and compose-go, `template`
and `dotenv`.
"""

from __future__ import annotations

import io
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from dotenv.parser import Binding, parse_stream

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_NESTING_MAX = 50
_SHOWN_MAX = 60
_LEADING_SPACE = re.compile(r"\s*")
_OPENING_QUOTE = re.compile(r"\s*(?:export\s+)?(?:'[^']+'|[^=#\s]+)\s*=\s*(['\"]?)")


class _Malformed(ValueError):
    """Not a template; the words do not show the text, which may be a secret."""


class _Missing(ValueError):
    """A variable that `?` asks for is not set."""


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    operator: str
    operand: Sequence[_Part]


_Part: TypeAlias = "str | _Variable"


@dataclass(slots=True)
class _Filler:
    """Fills variables in; collects those that are not set, each with the first place of it."""

    variables: Mapping[str, str]
    unset: dict[str, str] = field(default_factory=dict)

    def value(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        if isinstance(value, dict):
            return {key: self.value(child, (*path, str(key))) for key, child in value.items()}
        if isinstance(value, list):
            return [self.value(child, (*path, str(i))) for i, child in enumerate(value)]
        return self._shown_text(value, ".".join(path)) if isinstance(value, str) else value

    def text(self, text: str, place: str) -> str:
        return self._joined(_Template(text).parts(), place)

    def _shown_text(self, text: str, place: str) -> str:
        if "$" not in text:
            return text
        try:
            return self.text(text, place)
        except _Malformed as error:
            shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
            raise ValueError(f"{place}: {shown!r}: {error}") from error
        except _Missing as error:
            raise ValueError(f"{place}: {error}") from error

    def _joined(self, parts: Sequence[_Part], place: str) -> str:
        return "".join(
            part if isinstance(part, str) else self._filled(part, place) for part in parts
        )

    def _filled(self, variable: _Variable, place: str) -> str:
        value = self.variables.get(variable.name)
        operator = variable.operator
        counts = value is not None and (value != "" or not operator.startswith(":"))
        if operator.endswith("+"):
            return self._joined(variable.operand, place) if counts else ""
        if counts:
            return value or ""
        if operator.endswith("-"):
            return self._joined(variable.operand, place)
        if operator.endswith("?"):
            message = self._joined(variable.operand, place) or "it has no value"
            raise _Missing(f"the variable {variable.name} is required: {message}")
        self.unset.setdefault(variable.name, place)
        return ""

    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{place}: the variable {name} is not set; an empty text stands for it"
            for name, place in self.unset.items()
        )


@dataclass(slots=True)
class _Template:
    """Reads the parts of one text."""

    source: str
    position: int = 0
    level: int = 0

    def parts(self) -> list[_Part]:
        """Up to the end of the text; within `${…}`, up to its brace."""
        parts: list[_Part] = []
        braces = 0
        while self.position < len(self.source):
            char = self.source[self.position]
            if self.level and char == "}" and not braces:
                return parts
            self.position += 1
            if self.level:
                braces += {"{": 1, "}": -1}.get(char, 0)
            parts.append(self._after_dollar() if char == "$" else char)
        if self.level:
            raise _Malformed("'${' without its '}'")
        return parts

    def _after_dollar(self) -> _Part:
        if self.source.startswith("$", self.position):
            self.position += 1
            return "$"
        if self.source.startswith("{", self.position):
            self.position += 1
            return self._braced()
        return _Variable(self._take(_NAME), "", ())

    def _braced(self) -> _Variable:
        name = self._take(_NAME)
        operator = "" if self.source.startswith("}", self.position) else self._take(_OPERATOR)
        self.level += 1
        if self.level > _NESTING_MAX:
            raise _Malformed("variables nested too deeply")
        operand = self.parts()
        self.level -= 1
        self.position += 1
        return _Variable(name, operator, operand)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.position)
        if match is None:
            raise _Malformed("not a variable as compose writes them; a plain '$' is written '$$'")
        self.position = match.end()
        return match.group()


def interpolate(value: Any, variables: Mapping[str, str]) -> tuple[Any, tuple[str, ...]]:
    """The value with variables filled in all its texts, not in keys; and what was not set.

    Raises ValueError, with the place, for a malformed text and for a variable that `?` requires.
    """
    filler = _Filler(variables)
    return filler.value(value), filler.warnings()


def read_env(
    text: str, environ: Mapping[str, str], name: str = ".env"
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The environment, with the variables that an env file adds; and what was not set in it.

    The environment wins; a line sees the lines before it. Raises ValueError with the line.
    """
    variables: dict[str, str] = {}
    known = ChainMap(dict(environ), variables)
    filler = _Filler(known)
    for binding in parse_stream(io.StringIO(text)):
        place = f"{name}: line {_line(binding)}"
        if binding.error:
            raise ValueError(f"{place}: not a line such as NAME=value")
        if binding.key is None or binding.value is None or binding.key in environ:
            continue  # a name alone stands for what the environment has
        variables[binding.key] = _value(binding, filler, f"{place}: {binding.key}")
    return dict(known), filler.warnings()


def _line(binding: Binding) -> int:
    space = _LEADING_SPACE.match(binding.original.string)
    return binding.original.line + (space.group().count("\n") if space else 0)


def _value(binding: Binding, filler: _Filler, place: str) -> str:
    value = binding.value or ""
    opening = _OPENING_QUOTE.match(binding.original.string)
    quote = opening.group(1) if opening else ""
    if quote == "'":
        return value
    try:
        return filler.text(value.replace(r"\$", "$$") if quote else value, place)
    except (_Malformed, _Missing) as error:
        raise ValueError(f"{place}: {error}") from error
