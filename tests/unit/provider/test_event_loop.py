"""The daemon runs in uvloop's event loop where there is one."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest

from provider.event_loop import new_event_loop


def module_of_a_new_loop() -> str:
    """Who made it."""
    with closing(new_event_loop()) as loop:
        return type(loop).__module__


def test_it_is_that_of_uvloop_where_it_is_installed() -> None:
    pytest.importorskip("uvloop")
    assert module_of_a_new_loop() == "uvloop"


def test_it_is_that_of_python_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert module_of_a_new_loop().startswith("asyncio.")
