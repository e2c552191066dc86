"""Several declared records at once, all or none: what each is to become."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from registry import changes, codec
from registry.entries import Entry, RawRecord
from registry.errors import (
    FieldError,
    IdTaken,
    InvalidRecord,
    NotFound,
    RegistryError,
    SlugTaken,
)
from registry.items import Item, Names
from registry.project_spec import Projects
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.writer import Refusal, Step


class Batch:
    """An operation for the writer; `items` are of its last run.

    `prune` is the id of a workspace: its records that are not declared are taken away.
    """

    def __init__(
        self,
        records: Sequence[Any],
        projects: Projects,
        clock: Callable[[], datetime],
        prune: str | None = None,
    ) -> None:
        self._records, self._projects, self._clock = records, projects, clock
        self._prune = prune
        self.items: list[Item] = []

    @property
    def refs(self) -> set[str]:
        """The names by which the records are found."""
        return {name for name in map(_ref, self._records) if name is not None}

    def __call__(self, before: Snapshot) -> list[Step]:
        """The steps on the catalogue as it is then. Raises what `refusal` makes of bad records."""
        if self._prune is not None:
            self._projects.get(self._prune)
        items = [self._item(index, body, before) for index, body in enumerate(self._records)]
        items = list(_each_once(items))
        if self._prune is not None:
            items += _pruned(before, self._prune, items)
        self.items = list(_with_own_names(before, items))
        if any(item.error for item in self.items):
            raise self._refusal()
        return [Step(i.old, i.new) for i in self.items if i.action != "unchanged"]

    def refused(self, refusals: Sequence[Refusal]) -> RegistryError:
        """The error for records that admission refused."""
        errors = {refusal.environment_id: refusal.error for refusal in refusals}
        self.items = [
            replace(item, error=errors.get(item.environment.environment_id))
            if item.environment
            else item
            for item in self.items
        ]
        return self._refusal()

    def _item(self, index: int, body: Any, before: Snapshot) -> Item:
        claimed = _claimed(body)
        try:
            old = _declared_before(before, body)
            new = self._successor(old, body)
        except RegistryError as error:
            return Item(index, None, None, error, claimed)
        return Item(index, old, new, None, claimed)

    def _successor(self, old: Entry | None, body: Any) -> Entry:
        given, now = changes.as_object(body), self._clock()
        project = self._projects.get(changes.project_id_of(given))
        if old is None:
            environment = changes.created(given, project, now)
            return Entry(RawRecord("", codec.encode(environment)), environment)
        if old.environment is None:
            known = old.fault.environment_id if old.fault else None
            environment = changes.mended(given, known, now)
        else:
            environment = changes.declared(old.environment, given, now)
        if old.fault is None and environment is old.environment:
            return old
        return Entry(replace(old.raw, text=codec.encode(environment)), environment)

    def _refusal(self) -> RegistryError:
        """The class of the first error; every faulty place, by its pointer into the batch."""
        bad = [(item, item.error) for item in self.items if item.error is not None]
        first = bad[0][1]
        errors = [fault for item, _ in bad for fault in item.faults]
        detail = f"{len(bad)} of {len(self._records)} records refused; nothing was written"
        facts = first.facts if len(bad) == 1 else {}
        views = [item.view() for item in self.items]
        return type(first)(f"{detail}: {first.detail}", errors, **{**facts, "results": views})


def _claimed(body: Any) -> Names:
    """The id and slug that a body says, where it says a text."""
    given = body if isinstance(body, dict) else {}
    environment_id, slug = given.get("environment_id"), given.get("slug")
    return (
        environment_id if isinstance(environment_id, str) else None,
        slug if isinstance(slug, str) else None,
    )


def _ref(body: Any) -> str | None:
    environment_id, slug = _claimed(body)
    return environment_id or slug


def _declared_before(before: Snapshot, body: Any) -> Entry | None:
    """The record that a declaration is about: by its id, else by its slug.

    By slug alone only in its own workspace: one team's file must not take another's record.
    """
    environment_id, slug = _claimed(body)
    try:
        found = before.entry(environment_id or slug or "")
    except NotFound:
        return None
    known = found.environment
    if known is None:
        return found
    if environment_id is not None:
        return found if known.environment_id == environment_id else None
    if known.slug != slug:
        return None
    if isinstance(body, dict) and body.get("project_id") not in (None, known.project_id):
        reason = (
            f"{slug!r} belongs to workspace {known.project_id!r}; "
            f"to move it give its environment_id too: {known.environment_id!r}"
        )
        raise SlugTaken(reason, [FieldError("/slug", reason)])
    return found


def _each_once(items: Sequence[Item]) -> Iterator[Item]:
    """Refuses the second declaration of one record."""
    first: dict[int, int | None] = {}
    for item in items:
        earlier = first.setdefault(id(item.old), item.index) if item.old else item.index
        if earlier == item.index:
            yield item
        else:
            reason = f"declares the same record as /environments/{earlier}"
            error = InvalidRecord(reason, [FieldError("", reason)])
            yield replace(item, error=error, new=item.old)


def _pruned(before: Snapshot, project_id: str, items: Sequence[Item]) -> list[Item]:
    declared = {id(item.old) for item in items if item.old}
    return [
        Item(None, entry, None)
        for entry in before.entries
        if entry.environment
        and entry.environment.project_id == project_id
        and not entry.lingering
        and id(entry) not in declared
    ]


def _with_own_names(before: Snapshot, items: Sequence[Item]) -> Iterator[Item]:
    """Refuses a name that another record has, as things are after the batch."""
    after = before.having_all((item.old, item.new) for item in items if item.error is None)
    holders: dict[str, list[Environment]] = defaultdict(list)
    for environment in after.environments:
        for name in {environment.environment_id, environment.slug}:
            holders[name].append(environment)
    for item in items:
        taken = _taken(item, holders, after) if item.error is None else None
        yield replace(item, error=taken) if taken else item


def _taken(
    item: Item, holders: Mapping[str, Sequence[Environment]], after: Snapshot
) -> RegistryError | None:
    environment = item.new.environment if item.new else None
    if environment is None or item.new is item.old:
        return None
    known = item.old.environment if item.old else None
    own = (known.environment_id, known.slug) if known else ()
    for error, pointer, name in (
        (IdTaken, "/environment_id", environment.environment_id),
        (SlugTaken, "/slug", environment.slug),
    ):
        broken = name in after.faulty_without_good and name not in own
        if broken or any(holder is not environment for holder in holders[name]):
            return error(f"{name!r} is taken", [FieldError(pointer, f"{name!r} is taken")])
    return None
