"""Cost against N as a picture: one panel a row of the table, both axes logarithmic.

    python chart.py RESULTS_JSON SVG

Takes the rows in milliseconds that were measured at two N or more.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

_WIDTH, _HEIGHT, _COLUMNS = 300, 190, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 44, 26
_COLOURS = {"ours": "#0b62c4", "floor": "#c2580a"}

Row = Mapping[str, Any]
Scale = Callable[[float], float]


def main() -> None:
    """Draw the file."""
    results = json.loads(Path(sys.argv[1]).read_text())["results"]
    Path(sys.argv[2]).write_text(picture(results))


def picture(results: Sequence[Row]) -> str:
    """The SVG document."""
    panels = [rows for rows in _by_what(results).values() if len(rows) > 1]
    lines = math.ceil(len(panels) / _COLUMNS)
    width, height = _WIDTH * _COLUMNS, _HEIGHT * lines + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *_legend(),
    ]
    for index, rows in enumerate(panels):
        x, y = index % _COLUMNS * _WIDTH, index // _COLUMNS * _HEIGHT + 30
        parts += [f'<g transform="translate({x} {y})">', *_panel(rows), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _by_what(results: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each panel, by N; without the notes, which differ."""
    panels: dict[str, list[Row]] = {}
    for row in results:
        if row["unit"] == "ms" and row["ours_median"] and row["floor_median"]:
            panels.setdefault(f"{row['what']}|{row['floor_is']}", []).append(row)
    return {what: sorted(rows, key=lambda r: r["environments"]) for what, rows in panels.items()}


def _legend() -> Iterator[str]:
    for index, (key, name) in enumerate((("ours", "Routebook"), ("floor", "floor"))):
        x = _LEFT + index * 110
        yield f'<circle cx="{x}" cy="16" r="4" fill="{_COLOURS[key]}"/>'
        yield f'<text x="{x + 9}" y="20">{name}</text>'
    yield f'<text x="{_LEFT + 190}" y="20" fill="#555">median ms against environments</text>'


def _panel(rows: Sequence[Row]) -> Iterator[str]:
    costs = [row[f"{key}_median"] for row in rows for key in _COLOURS]
    x = _scale([row["environments"] for row in rows], _LEFT, _WIDTH - _RIGHT)
    y = _scale(_decades(costs), _HEIGHT - _BOTTOM, _TOP)
    yield f'<text x="{_LEFT}" y="14" font-weight="bold">{escape(rows[0]["what"][:44])}</text>'
    yield f'<text x="{_LEFT}" y="28" fill="#555">floor: {escape(rows[0]["floor_is"][:44])}</text>'
    for cost in _decades(costs):
        yield (
            f'<path d="M{_LEFT} {y(cost):.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
            f'<text x="{_LEFT - 6}" y="{y(cost) + 4:.1f}" text-anchor="end">{cost:g}</text>'
        )
    for row in rows:
        at = f'x="{x(row["environments"]):.1f}" y="{_HEIGHT - 8}" text-anchor="middle"'
        yield f"<text {at}>{row['environments']:,}</text>"
    for key in _COLOURS:
        yield from _line([(x(r["environments"]), y(r[f"{key}_median"])) for r in rows], key)


def _line(points: Sequence[tuple[float, float]], key: str) -> Iterator[str]:
    colour = _COLOURS[key]
    for (x1, y1), (x2, y2) in pairwise(points):
        yield f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def _decades(costs: Sequence[float]) -> list[float]:
    """The powers of ten from below the least to above the greatest."""
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    return [10.0**power for power in range(low, max(high, low + 1) + 1)]


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = math.log10(min(values)), math.log10(max(values))
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


if __name__ == "__main__":
    main()
