"""Puts results into docs/benchmarks.md: the machine, the table, and the chart beside it.

python page.py RESULTS_JSON [WORDS ABOUT THE RUN]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chart import picture
from results import Result, table

_DOCS = Path(__file__).parents[1] / "docs"
_PLACE = re.compile(r"(?<=<!-- results -->\n).*(?=<!-- end of results -->)", re.DOTALL)


def main() -> None:
    """Write page and picture."""
    report = json.loads(Path(sys.argv[1]).read_text())
    (_DOCS / "benchmarks.svg").write_text(picture(report["results"]))
    page = _DOCS / "benchmarks.md"
    words = " ".join(sys.argv[2:])
    page.write_text(_PLACE.sub(lambda _: section(report, words), page.read_text()))


def section(report: Mapping[str, Any], words: str) -> str:
    """What stands between the two marks."""
    machine = (
        f"{report['at'][:10]}, {report['machine']}, Python {report['python']}, "
        f"Traefik {report['traefik']}, nginx {report['nginx']}; load average "
        f"{report['load_average_1_min']} before, {report['load_average_1_min_after']} after."
    )
    rows = table([Result.from_json(row) for row in report["results"]])
    return "\n\n".join(["", *([words] if words else []), machine, rows, ""]).lstrip("\n") + "\n"


if __name__ == "__main__":
    main()
