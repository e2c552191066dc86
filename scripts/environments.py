#!/usr/bin/env python3
"""The verbs of `routebook`, from a checkout: re-executes itself with the checkout's own Python."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"
NEEDED = ("typer", "rich", "yaml", "pydantic", "aiohttp")


def main() -> None:
    """Run the verb, here or with the checkout's Python; else say how to install it."""
    if all(importlib.util.find_spec(name) for name in NEEDED):
        sys.path.insert(0, str(ROOT))
        from provider.__main__ import main as routebook

        routebook()
    elif PYTHON.exists() and Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
        os.execv(PYTHON, [str(PYTHON), __file__, *sys.argv[1:]])
    else:
        sys.exit("routebook: its packages are not installed; run `make install` in the checkout")


if __name__ == "__main__":
    main()
