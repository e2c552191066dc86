"""The two forms of these tests: small by default, whole with `CHAOS=whole` (make chaos)."""

from __future__ import annotations

import os
from typing import TypeVar

Amount = TypeVar("Amount", int, float)
WHOLE = os.environ.get("CHAOS") == "whole"


def amount(small: Amount, whole: Amount) -> Amount:
    """How much to do in the form that was asked for."""
    return whole if WHOLE else small


def report(what: str, **counts: object) -> None:
    """Say what was done, for the report: shown by `pytest -rP`, or `-s`."""
    print(f"{what}: " + ", ".join(f"{value} {name}" for name, value in counts.items()))
