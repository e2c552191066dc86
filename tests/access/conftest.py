"""Fixtures of this folder: the log, as the safety tests read it."""

from __future__ import annotations

from tests.safety.conftest import log

__all__ = ["log"]
