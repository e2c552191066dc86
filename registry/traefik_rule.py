"""Traefik's rule language as values: reading a rule, printing it, and its alternatives.

A rule is a Go expression of matchers: names are case-insensitive, arguments are Go strings. The
regular expressions in it are text here and are never run.
Source: traefik `pkg/rules/parser.go`, vulcand/predicate `parse.go`, the Go specification.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import TypeAlias

RULE_LENGTH_MAX = 64 * 1024
NESTING_MAX = 50
ALTERNATIVES_MAX = 1000

_NAMES = (
    "Host HostRegexp HostHeader HostSNI HostSNIRegexp Path PathPrefix PathRegexp Method Header "
    "HeaderRegexp Headers HeadersRegexp Query QueryRegexp ClientIP ALPN"
)
_SPELLING = {name.lower(): name for name in _NAMES.split()}
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<name>[A-Za-z_]\w*)|(?P<raw>`[^`]*`)"""
    r"""|(?P<quoted>"(?:[^"\\\n]|\\[^\n])*")|(?P<mark>&&|\|\||[!(),])""",
    re.ASCII,
)
_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\"])|([0-3][0-7]{2})|x([0-9a-fA-F]{2})"""
    r"""|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"""
)
_SIMPLE = dict(zip('abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))


class RuleFault(ValueError):
    """The text is no rule that can be understood; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a request; a name that Traefik knows is in Traefik's spelling."""

    name: str
    args: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(quoted(arg) for arg in self.args)})"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more rules."""

    parts: tuple[Rule, ...]

    def __str__(self) -> str:
        return " && ".join(_bracketed(part, And, Or) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more rules."""

    parts: tuple[Rule, ...]

    def __str__(self) -> str:
        return " || ".join(_bracketed(part, Or) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a rule."""

    part: Rule

    def __str__(self) -> str:
        return f"!{_bracketed(self.part, And, Or)}"


Rule: TypeAlias = Matcher | And | Or | Not
Alternative: TypeAlias = tuple[tuple[Matcher, bool], ...]


def parse_rule(text: str) -> Rule:
    """The rule that the text says. Raises RuleFault."""
    if len(text) > RULE_LENGTH_MAX:
        raise RuleFault(f"a rule of more than {RULE_LENGTH_MAX} characters")
    return _Reader(text).whole()


def alternatives(rule: Rule) -> tuple[Alternative, ...]:
    """The rule as "any of, all of": matchers, each with whether it is negated.

    Raises RuleFault where that would be over ALTERNATIVES_MAX.
    """
    return _normal(rule, negated=False)


def quoted(value: str) -> str:
    """The text as a Go string in double quotes, of ASCII only; it has no lone surrogates."""
    return f'"{"".join(_escaped(character) for character in value)}"'


def unquoted(literal: str) -> str:
    """The value of a Go string in double quotes or backticks. Raises RuleFault."""
    if literal.startswith("`"):
        return literal[1:-1].replace("\r", "")  # as Go drops it
    value = bytearray()
    at = 1
    for match in _ESCAPE.finditer(literal, 1, len(literal) - 1):
        value += _bytes(literal[at : match.start()]) + _meant(match)
        at = match.end()
    value += _bytes(literal[at:-1])
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise RuleFault(f"{literal[:60]} is not UTF-8 text") from None


def _bracketed(rule: Rule, *kinds: type[And | Or]) -> str:
    return f"({rule})" if isinstance(rule, kinds) else str(rule)


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    if " " <= character <= "~":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _meant(escape: re.Match[str]) -> bytes:
    simple, octal, byte, short, long, other = escape.groups()
    if other is not None:
        raise RuleFault(f"Go strings have no escape \\{other}")
    if simple is not None:
        return bytes([_SIMPLE[simple]])
    if octal is not None or byte is not None:
        return bytes([int(octal, 8) if octal is not None else int(byte, 16)])
    code = int(short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise RuleFault(f"{escape.group()} is no character")
    return chr(code).encode()


def _normal(rule: Rule, *, negated: bool) -> tuple[Alternative, ...]:
    if isinstance(rule, Matcher):
        return (((rule, negated),),)
    if isinstance(rule, Not):
        return _normal(rule.part, negated=not negated)
    parts = [_normal(part, negated=negated) for part in rule.parts]
    any_of = isinstance(rule, Or) is not negated  # De Morgan
    count = sum(map(len, parts)) if any_of else math.prod(map(len, parts))
    if count > ALTERNATIVES_MAX:
        raise RuleFault(f"a rule of more than {ALTERNATIVES_MAX} alternatives")
    if any_of:
        return tuple(dict.fromkeys(chain.from_iterable(parts)))
    every = (dict.fromkeys(chain.from_iterable(chosen)) for chosen in product(*parts))
    return tuple(dict.fromkeys(tuple(chosen) for chosen in every))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    at, before = 0, _Token("mark", "", 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise RuleFault(f"column {at + 1}: {text[at : at + 20]!r} is not of the rule language")
        token = _Token(match.lastgroup, match.group(), at)
        at = match.end()
        # Go ends an expression at a line's end, unless something must follow.
        ends = before.kind in ("name", "raw", "quoted") or before.text == ")"
        if token.kind == "space" or (token.kind == "newline" and not ends):
            continue
        yield token
        before = token


class _Reader:
    """Recursive descent; `&&` binds tighter than `||`, `!` tighter than both."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        if self._tokens and self._tokens[-1].kind == "newline":
            self._tokens.pop()
        self._tokens.append(_Token("end", "", len(text)))
        self._at = 0

    def whole(self) -> Rule:
        rule = self._any_of(0)
        if self._next.kind != "end":
            raise self._fault("'&&', '||' or the end")
        return rule

    def _any_of(self, depth: int) -> Rule:
        parts = [self._all_of(depth)]
        while self._took("||"):
            parts.append(self._all_of(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self, depth: int) -> Rule:
        parts = [self._single(depth)]
        while self._took("&&"):
            parts.append(self._single(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _single(self, depth: int) -> Rule:
        if depth > NESTING_MAX:
            raise RuleFault(f"a rule nested more than {NESTING_MAX} deep")
        if self._took("!"):
            return Not(self._single(depth + 1))
        if self._took("("):
            inner = self._any_of(depth + 1)
            self._expect(")")
            return inner
        return self._matcher()

    def _matcher(self) -> Matcher:
        token = self._next
        if token.kind != "name":
            raise self._fault("a matcher such as Host(`app.test`)")
        self._at += 1
        self._expect("(")
        args = [self._argument()]
        while self._took(",") and self._next.text != ")":
            args.append(self._argument())
        self._expect(")")
        return Matcher(_SPELLING.get(token.text.lower(), token.text), tuple(args))

    def _argument(self) -> str:
        token = self._next
        if token.kind not in ("raw", "quoted"):
            raise self._fault("a text in backticks or double quotes")
        self._at += 1
        return unquoted(token.text)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _took(self, mark: str) -> bool:
        taken = self._next.text == mark
        self._at += taken
        return taken

    def _expect(self, mark: str) -> None:
        if not self._took(mark):
            raise self._fault(f"'{mark}'")

    def _fault(self, expected: str) -> RuleFault:
        found = {"end": "the end", "newline": "the end of the line"}.get(self._next.kind)
        seen = found or repr(self._next.text[:40])
        return RuleFault(f"column {self._next.at + 1}: expected {expected}, found {seen}")
