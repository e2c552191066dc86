"""Tables that fit a terminal: what has to be typed stays whole, and prose goes below its row."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from registry.cli.terminal import printable, say, wrapped

if TYPE_CHECKING:
    from rich.text import Text

_GAP = "  "
_LEAST = 8
_STYLES = {
    "active": "green", "healthy": "green", "published": "green", "created": "green",
    "maintenance": "yellow", "degraded": "yellow", "changed": "yellow", "planned": "cyan",
    "ok": "green", "expiring": "yellow", "expired": "red", "unusable": "red",
    "offline": "red", "lost": "red", "removed": "red", "retired": "dim", "unknown": "dim",
}  # fmt: skip


def table(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Collection[str] = (),
    below: Sequence[str] = (),
    empty: str = "nothing is there",
) -> None:
    """Rows under their columns, fitted to a terminal, whole into a pipe; or `empty`.

    The columns `keys` are never cut. Where there is no room, first the columns `below` go under
    their row, one after the other; then the widest of the rest are cut.
    """
    if not rows:
        say(empty)
        return
    from rich.console import Console

    shown = [{column: printable(row.get(column)) for column in columns} for row in rows]
    on_terminal = sys.stdout.isatty()
    console = Console() if on_terminal else Console(color_system=None)
    widths = _whole(columns, shown)
    if on_terminal:
        widths = _fitted(widths, keys, below, console.width)
    under = [column for column in columns if column not in widths]
    with console.capture() as captured:
        head = {column: column.upper() for column in columns}
        console.print(_line(head, widths, "bold"), soft_wrap=True)
        for row in shown:
            console.print(_line(row, widths), soft_wrap=True)
            for line in _under(row, under):
                console.print(line, soft_wrap=True, markup=False, highlight=False)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def section(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    keys: Collection[str] = (),
    below: Sequence[str] = (),
) -> None:
    """A table under its title, after an empty line; nothing where there are no rows."""
    if rows:
        say(f"\n{title}")
        table(columns, rows, keys=keys, below=below)


def _whole(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """The width of each column in which nothing is cut."""
    from rich.cells import cell_len

    return {
        column: max(cell_len(text) for text in (column, *(row[column] for row in rows)))
        for column in columns
    }


def _fitted(
    whole: Mapping[str, int], keys: Collection[str], below: Sequence[str], room: int
) -> dict[str, int]:
    """The widths of the columns that stay in the row. The keys stay whole, even without room."""
    widths = dict(whole)
    for column in below:
        if _sum(widths.values()) > room:
            del widths[column]
    others = [column for column in widths if column not in keys]
    while others and _sum(w if c in keys else min(w, _LEAST) for c, w in widths.items()) > room:
        del widths[others.pop()]
    while others and _sum(widths.values()) > room:
        widths[max(others, key=lambda column: widths[column])] -= 1
    return widths


def _sum(widths: Collection[int] | Iterator[int]) -> int:
    return sum(width + len(_GAP) for width in widths) - len(_GAP)


def _line(row: Mapping[str, str], widths: Mapping[str, int], style: str = "") -> Text:
    from rich.text import Text

    line = Text()
    for column, width in widths.items():
        cell = Text(row[column], style=style or _STYLES.get(row[column], ""))
        cell.truncate(width, overflow="ellipsis", pad=True)
        line.append_text(cell).append(_GAP)
    line.rstrip()
    return line


def _under(row: Mapping[str, str], columns: Sequence[str]) -> Iterator[str]:
    """What a row has no room for, by its name; wrapped between words."""
    for column in columns:
        if row[column] != "-":
            yield wrapped(f"  {column}: {row[column]}", "    ")
