"""The publication in force: one reference, swapped, and written to disk before it is shown."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from provider.publication import Publication, encode_publication
from provider.render.document import digest_of
from registry.engines.durable import (
    as_registry_errors,
    make_alike,
    sync_file,
    sync_folder,
    write_durably,
)
from registry.errors import RegistryError

_MODE = 0o644


class Current:
    """What the endpoint serves. `kept` is the file that survives a restart.

    A document is written beside it before it is shown, and made durable in its place while it is
    shown: after a crash of ours no poller gets a document older than the one it had, and after a
    power cut there is a whole one. `published` is called after each publication.
    """

    def __init__(self, kept: Path) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # a link stays one; links in a circle
            kept = kept.resolve()
        self._kept, self._newer = kept, kept.with_name(f"{kept.name}.new")
        self._gzipped = kept.with_suffix(".gzip")
        self._is_restored_newer = False
        self.publication: Publication | None = None
        self.closing = asyncio.Event()
        self.published: Callable[[], None] = lambda: None

    def restore(self) -> bool:
        """Serve the kept document until the first rendering; whether there was a whole one.

        Where it was found, and uncompressed if the last stop did not leave its gzip, until
        `settle`: nobody waits for that.
        """
        for path in (self._newer, self._kept):
            with contextlib.suppress(OSError):
                body = path.read_bytes()
                digest = digest_of(body)
                if digest is not None:
                    self.publication = Publication(body, digest, self._left_gzip(digest))
                    self._is_restored_newer = path == self._newer
                    return True
        return False

    def settle(self) -> None:
        """Have the restored document in gzip, too, and in its place, if a crash left it beside it.

        Else the next one would be written over it, while it is the only copy of what was served.
        """
        if self._is_restored_newer:
            self.sync()  # tried again with the next document
        restored = self.publication
        if restored is not None and not restored.gzipped:
            whole = encode_publication(restored.body, restored.digest)
            # The same event: whoever is held is not told of a new document.
            self.publication = replace(restored, gzipped=whole.gzipped)

    def leave_gzip(self) -> None:
        """At a stop: have the gzip where the next start finds it, which else compresses anew."""
        publication = self.publication
        if publication is None or not publication.gzipped:
            return
        content = _sealed(publication.digest, publication.gzipped) + publication.gzipped
        with contextlib.suppress(OSError, RegistryError):
            mode = stat.S_IMODE(self._kept.stat().st_mode)  # as private as the document
            write_durably(self._gzipped, content, mode=mode)

    def _left_gzip(self, digest: str) -> bytes:
        """The gzip of the document of this digest; empty where it was not left whole."""
        with contextlib.suppress(OSError):
            seal, _, gzipped = self._gzipped.read_bytes().partition(b"\n")
            if seal + b"\n" == _sealed(digest, gzipped):
                return gzipped
        return b""

    def write(self, body: bytes) -> RegistryError | None:
        """Have the document where the next start finds it, though a power cut may lose it."""
        try:
            with as_registry_errors(self._kept.name):
                self._kept.parent.mkdir(parents=True, exist_ok=True)
                with self._newer.open("wb") as file:
                    make_alike(self._kept, file.fileno(), _MODE)
                    file.write(body)
        except RegistryError as error:
            with contextlib.suppress(OSError):
                self._newer.unlink(missing_ok=True)
            return error
        return None

    def sync(self) -> RegistryError | None:
        """Make what was written durable, in the place of the one before; serving goes on anyway."""
        try:
            with as_registry_errors(self._kept.name):
                sync_file(self._newer)
                self._newer.replace(self._kept)
                sync_folder(self._kept.parent)
        except RegistryError as error:
            return error
        return None

    def keep(self, body: bytes) -> RegistryError | None:
        """Write it and make it durable; the error, when one of them fails."""
        return self.write(body) or self.sync()

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


def _sealed(digest: str, gzipped: bytes) -> bytes:
    """The line before a gzip: of which document it is, and that it is whole."""
    return f"{digest} {hashlib.sha256(gzipped).hexdigest()}\n".encode()
