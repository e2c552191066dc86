"""One record of a batch: what becomes of it, as a value and as the API shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from registry.entries import Entry
from registry.errors import FieldError, RegistryError
from registry.revisions import changes_between
from registry.schema import Environment

Names = tuple[str | None, str | None]
Action = Literal["created", "changed", "unchanged", "removed", "refused"]


@dataclass(frozen=True, slots=True)
class Item:
    """What becomes of one record. `index` is its place in the batch; None for a pruned one.

    `claimed` are the id and the slug that its declaration says.
    """

    index: int | None
    old: Entry | None
    new: Entry | None
    error: RegistryError | None = None
    claimed: Names = (None, None)

    @property
    def action(self) -> Action:
        """What is done to the catalogue."""
        if self.error is not None:
            return "refused"
        if self.old is None or self.new is None:
            return "created" if self.new else "removed"
        return "unchanged" if self.old is self.new else "changed"

    @property
    def environment(self) -> Environment | None:
        """The record after the batch; of a removed one as it was."""
        entry = self.new or self.old
        return entry.environment if entry else None

    @property
    def faults(self) -> Iterator[FieldError]:
        """The places that are wrong, by their pointers into the batch."""
        if self.error is not None:
            for fault in self.error.errors or (FieldError("", self.error.detail),):
                yield FieldError(f"/environments/{self.index}{fault.pointer}", fault.message)

    def view(self) -> dict[str, Any]:
        """The item as the API shows it, with what changed by pointer."""
        named, before = self.environment, self.old.environment if self.old else None
        fault = self.old.fault if self.old else None
        ids = (fault.environment_id, fault.slug) if fault else self.claimed
        after = self.new.environment if self.new else None
        document = (before.document if before else {}), (after.document if after else {})
        return {
            "index": self.index,
            "action": self.action,
            "environment_id": named.environment_id if named else ids[0],
            "slug": named.slug if named else ids[1],
            "changes": [] if self.error else list(changes_between(*document)),
            **({"problem": _problem(self.error)} if self.error else {}),
        }


def _problem(error: RegistryError | None) -> dict[str, Any]:
    assert error is not None
    errors = [{"pointer": each.pointer, "message": each.message} for each in error.errors]
    return {"code": error.code, "detail": error.detail, "errors": errors, **error.facts}
