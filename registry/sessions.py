"""The tokens that `routebook login` stored: one for each API, in a file of the user alone."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SessionFile:
    """`$XDG_CONFIG_HOME/routebook/sessions.json`, 0600: `{url: {token, email, expires_at}}`."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> SessionFile:
        """The file of this user."""
        home = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or "~") / ".config"
        return cls(Path(home).expanduser() / "routebook" / "sessions.json")

    def token_of(self, url: str) -> str | None:
        """The token that was stored for this API."""
        stored = self._read().get(url)
        token = stored.get("token") if isinstance(stored, dict) else None
        return token if isinstance(token, str) else None

    def store(self, url: str, session: Mapping[str, Any]) -> None:
        """Keep the token of an API. Raises OSError."""
        self._write({**self._read(), url: dict(session)})

    def forget(self, url: str) -> bool:
        """Whether there was one to forget. Raises OSError."""
        sessions = self._read()
        if sessions.pop(url, None) is None:
            return False
        self._write(sessions)
        return True

    def _read(self) -> dict[str, Any]:
        try:
            stored = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return stored if isinstance(stored, dict) else {}

    def _write(self, sessions: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made with mode 0600 from the beginning, then put in place whole.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".sessions.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(sessions, file, indent=2)
            Path(name).replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
