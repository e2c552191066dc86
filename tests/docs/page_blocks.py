"""The fenced blocks of a documentation page, and whether an output is the one that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?"), "WHEN"),
    (re.compile(r"\b(task|env-[a-z-]+)-([0-9a-f]{12}|[0-9a-f]{6})\b"), r"\1-ID"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Block:
    """A block: its language, its text, its line in the page, and the output shown beneath it."""

    language: str
    text: str
    line: int
    shown: str


def blocks_of(page: str, here: Callable[[str], str]) -> list[Block]:
    """Every block in order; `here` turns the page's addresses into those of this place."""
    found = list(_FENCED.finditer(page))
    blocks = []
    for match, after in zip(found, [*found[1:], None], strict=True):
        language, text, line = match[1], here(match[2]), page.count("\n", 0, match.start()) + 1
        shown = ""
        if language == "console":
            shown = _CONSOLE.sub("", text)
            text = "\n".join(_CONSOLE.findall(text))
        elif after and not after[1] and not page[match.end() : after.start()].strip():
            shown = here(after[2])
        blocks.append(Block(language, text, line, shown))
    return blocks


def lines_not_in(output: str, shown: str) -> list[str]:
    """The shown lines that the output lacks, each of its lines standing for one of them.

    Ids, times, spaces and the order may differ; `…` is any text.
    """
    left = [_plain(line) for line in output.splitlines()]
    lacking = []
    for each in shown.splitlines():
        like = _pattern(_plain(each))
        found = next((line for line in left if like.search(line)), None)
        if found is None:
            lacking.append(each)
        else:
            left.remove(found)
    return lacking


def _pattern(shown: str) -> re.Pattern[str]:
    pieces = [piece.strip() for piece in shown.split("…") if piece.strip()]
    return re.compile(".*".join(map(re.escape, pieces)))


def _plain(line: str) -> str:
    for varying, name in _VARYING:
        line = varying.sub(name, line)
    return line.strip()
