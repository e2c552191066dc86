"""The document that a write leads to, rendered while the write is on its way to the disk.

Nothing hangs on it. The pass after the write takes it for the document before its own, and has
little left to do; what it renders is the same without it (`assemble`). It is shown to nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import structlog

from provider.current import Current
from provider.publication import Publication, encode_publication
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from provider.render.fragment import OwnCertificate
from registry.snapshot import Snapshot

_log = structlog.get_logger()


class Foreseen(NamedTuple):
    """A document that may come into force, and its bytes in both encodings."""

    document: Document
    publication: Publication


class Ahead:
    """One rendering at a time, in a thread. Nobody else compiles all records meanwhile."""

    def __init__(self, compiler: Compiler, current: Current) -> None:
        self._compiler, self._current = compiler, current
        self._rendering: asyncio.Future[Foreseen | None] | None = None

    def begin(self, after: Snapshot, before: Document, own: Mapping[str, OwnCertificate]) -> None:
        """Render what will be in force after the write; not if a rendering is under way.

        `own` are the certificates of the last pass: whether they are so still, the next one looks.
        """
        if self._rendering is None:
            loop = asyncio.get_running_loop()
            self._rendering = loop.run_in_executor(None, self._foreseen, after, before, own)

    async def taken(self) -> Foreseen | None:
        """What was rendered, once; None when that is nothing."""
        rendering, self._rendering = self._rendering, None
        return await rendering if rendering is not None else None

    def _foreseen(
        self, after: Snapshot, before: Document, own: Mapping[str, OwnCertificate]
    ) -> Foreseen | None:
        try:
            compiled = self._compiler.compile_all(after.environments, own)
            document = assemble(compiled, before.tls.made_of[1], before=before)
            shown = self._current.publication
            publication = encode_publication(document.pieces, document.digest, shown)
        except Exception:
            _log.exception("not_rendered_ahead", note="the pass after the write will do it")
            return None
        return Foreseen(document, publication)
