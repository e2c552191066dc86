"""One changed record of ours among N, rendered in this process; prints the milliseconds as JSON.

    python rendering_process.py FILE ENVIRONMENTS CHANGES

`ready` goes from the changed record, as a value, to the new body and its gzip; `written` ends when
the body stands in a file too, put in place by a rename, as the other programs write theirs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path

from catalogue import catalogue_bytes

from provider.publication import Publication, encode_publication
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.schema import Environment


def main() -> None:
    """Measure what the arguments say."""
    file, environments, changes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    records = json.loads(catalogue_bytes(environments))["environments"]
    renderer = _Renderer([Environment.model_validate(record) for record in records])
    gc.freeze()
    took_ms: dict[str, list[float]] = {"ready": [], "written": []}
    for change in range(changes + 1):
        number = (change * 97) % environments
        records[number]["metadata"]["router"]["service_url"] = f"http://127.0.0.1:{10 + change}"
        changed = Environment.model_validate(records[number])
        start_s = time.perf_counter()
        body = renderer.change(number, changed)
        ready_s = time.perf_counter()
        _replace(file, body)
        written_s = time.perf_counter()
        if change:  # the first finds nothing warm
            took_ms["ready"].append((ready_s - start_s) * 1000)
            took_ms["written"].append((written_s - start_s) * 1000)
    print(json.dumps(took_ms))


class _Renderer:
    """What a pass does between the catalogue and the poll."""

    def __init__(self, environments: list[Environment]) -> None:
        self._environments = tuple(environments)
        self._compiler = Compiler(Rules())
        self._document: Document | None = None
        self._publication: Publication | None = None
        self._render()

    def change(self, number: int, environment: Environment) -> bytes:
        """The body after one record is another."""
        known = self._environments
        self._environments = (*known[:number], environment, *known[number + 1 :])
        return self._render()

    def _render(self) -> bytes:
        compiled = self._compiler.compile_all(self._environments)
        document = assemble(compiled, before=self._document)
        self._publication = encode_publication(document.pieces, document.digest, self._publication)
        self._document = document
        return document.body


def _replace(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


if __name__ == "__main__":
    main()
