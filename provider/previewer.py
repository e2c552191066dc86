"""Renders the catalogue before and after a write that is not made, beside what is published."""

from __future__ import annotations

import asyncio
from pathlib import Path

from provider.observe.certificates import CertificateFolder
from provider.preview import Difference, difference, incumbents
from provider.reconciler import render
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from registry.errors import RouteConflict
from registry.revisions import differences
from registry.writer import Preview


class Previewer:
    """Touches nothing: a compiler and a certificate folder of its own, which makes no copies.

    One preview at a time: many must not keep the threads from those who publish.
    """

    def __init__(
        self, rules: Rules, folder: Path, traefik_folder: str, *, default_certificate: bool
    ) -> None:
        self._rules, self._folders = rules, (folder, traefik_folder)
        self._default_certificate = default_certificate
        self._turn = asyncio.Lock()

    async def difference(self, preview: Preview) -> Difference:
        """What Traefik would see of the write."""
        if preview.after is preview.before:
            return Difference()
        async with self._turn:
            return await asyncio.to_thread(self._difference, preview)

    def _difference(self, preview: Preview) -> Difference:
        # Both sides see the same files: opened anew, since last good copies change.
        certificates = CertificateFolder(*self._folders, read_only=True)
        compiler, default = Compiler(self._rules), self._default_certificate
        before, _ = render(
            preview.before.environments, compiler, certificates, default_certificate=default
        )
        after, _ = render(
            preview.after.environments,
            compiler,
            certificates,
            default_certificate=default,
            before=before,
        )
        refused = {
            refusal.environment_id
            for refusal in preview.refusals
            if isinstance(refusal.error, RouteConflict)
        }
        if refused:
            after, _ = render(
                preview.after.environments,
                compiler,
                certificates,
                default_certificate=default,
                incumbents=incumbents(before, after, refused),
                before=after,
            )
        known = {each.environment_id: each for each in preview.before.environments}
        written = {changed[0] for changed in differences(known, preview.after.environments)}
        return difference(before, after, written)
