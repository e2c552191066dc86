"""How the suites get each engine: over no catalogue, over given texts, and after a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from registry.engines.catalogue_text import EMPTY
from registry.engines.json_file import JsonFileEngine
from registry.engines.memory import MemoryEngine
from registry.engines.protocol import Engine


class Engines(Protocol):
    """How a suite gets its engines."""

    def absent(self) -> Engine:
        """One without a catalogue."""
        ...

    def holding(self, *texts: str) -> Engine:
        """One over these records."""
        ...

    def again(self, engine: Engine) -> Engine:
        """Another look at the same catalogue, after a restart where there can be one."""
        ...


@dataclass
class MemoryEngines:
    """Nothing outlives a memory engine, so that it is its own restart."""

    opened: list[Engine] = field(default_factory=list)

    def absent(self) -> Engine:
        return self._opened(MemoryEngine())

    def holding(self, *texts: str) -> Engine:
        return self._opened(MemoryEngine(texts))

    def again(self, engine: Engine) -> Engine:
        return engine

    def _opened(self, engine: Engine) -> Engine:
        self.opened.append(engine)
        return engine


@dataclass
class JsonFileEngines:
    """Over one file."""

    path: Path
    opened: list[Engine] = field(default_factory=list)

    def absent(self) -> Engine:
        engine = JsonFileEngine(self.path)
        self.opened.append(engine)
        return engine

    def holding(self, *texts: str) -> Engine:
        body = ",\n".join(texts)
        self.path.write_text(EMPTY.replace("[]", f"[{body}]"), encoding="utf-8")
        return self.absent()

    def again(self, engine: Engine) -> Engine:
        return self.absent()
