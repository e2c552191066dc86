"""A write that is only rehearsed: the same use cases, the same errors, and nothing is made."""

from __future__ import annotations

from collections.abc import Collection

from registry.errors import RouteConflict
from registry.revisions import Author
from registry.snapshot import Snapshot
from registry.writer import Operation, Preview, Refused, Writer, first_error


class Rehearsal:
    """Stands in for the writer during one write; `preview` is then what it would have led to.

    The route conflict of a write of one record is kept as `conflict`, so that what would be can be
    shown all the same; every other error is raised as the write raises it. What the engine would
    raise is not foreseen.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.preview = Preview(Snapshot(), Snapshot())
        self.conflict: RouteConflict | None = None

    async def settle(self) -> Snapshot:
        """As the writer's."""
        return await self._writer.settle()

    async def found(self) -> Snapshot:
        """The catalogue as it is: none is made."""
        return await self._writer.settle()

    async def confirm(self) -> list[str]:
        """The ids that a confirmation would be about."""
        ids, self.preview = await self._writer.preview_of_confirm()
        return ids

    async def write(
        self,
        operation: Operation,
        refs: Collection[str],
        author: Author,
        refused: Refused = first_error,
    ) -> None:
        """See what the operation would do. Raises as the writer's `write`."""
        self.preview = await self._writer.preview(operation)
        if self.preview.refusals:
            error = refused(self.preview.refusals)
            if refused is not first_error or not isinstance(error, RouteConflict):
                raise error
            self.conflict = error
