"""The publication in force: one reference, swapped, and kept on disk before it is shown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from provider.publication import Publication, encode_publication
from provider.render.document import digest_of
from registry.engines.durable import as_registry_errors, write_durably
from registry.errors import RegistryError


class Current:
    """What the endpoint serves. `kept` is the file that survives a restart.

    The file is written before a publication is shown: after a crash no poller gets a document
    older than the one it had. `published` is called after each publication.
    """

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self.publication: Publication | None = None
        self.closing = asyncio.Event()
        self.published: Callable[[], None] = lambda: None

    def restore(self) -> bool:
        """Serve the kept document until the first rendering; whether there was a whole one.

        Uncompressed until `compress`: nobody waits for that.
        """
        with contextlib.suppress(OSError):
            body = self._kept.read_bytes()
            digest = digest_of(body)
            if digest is not None:
                self.publication = Publication(body, digest, gzipped=b"")
        return self.publication is not None

    def compress(self) -> None:
        """Have the restored document in gzip, too."""
        restored = self.publication
        if restored is not None and not restored.gzipped:
            whole = encode_publication(restored.body, restored.digest)
            # The same event: whoever is held is not told of a new document.
            self.publication = replace(restored, gzipped=whole.gzipped)

    def keep(self, body: bytes) -> RegistryError | None:
        """Write the kept document; the error, when that fails: serving goes on all the same."""
        try:
            with as_registry_errors(self._kept.name):
                self._kept.parent.mkdir(parents=True, exist_ok=True)
            write_durably(self._kept, body)
        except RegistryError as error:
            return error
        return None

    def publish(self, publication: Publication) -> None:
        """Show it, and wake whoever waits on the one before."""
        before, self.publication = self.publication, publication
        if before is not None:
            before.superseded.set()
        self.published()

    def close(self) -> None:
        """Release every held request; called at shutdown."""
        self.closing.set()
        if self.publication is not None:
            self.publication.superseded.set()
