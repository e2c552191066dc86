"""`POST /api/environments:apply`: several declared records, all or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from provider.api.door import author
from provider.api.requests import BATCH_BYTES_MAX, json_body
from provider.api.surface import SURFACE
from provider.api.views import BatchRoutingView, View
from provider.api.writing import DifferenceView, Made, written
from registry.errors import FieldError, InvalidRecord
from registry.fields import ProjectId
from registry.items import Item
from registry.schema import field_errors


class Declarations(BaseModel):
    """The records that are to be. With `prune` those of `project_id` that are not among them go.

    `project_id` is also the workspace of a record that names none.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    environments: list[Any]
    project_id: ProjectId | None = None
    prune: bool = False
    dry_run: bool = False

    @model_validator(mode="after")
    def _prune_says_where(self) -> Declarations:
        if self.prune and self.project_id is None:
            raise ValueError("prune needs project_id: the workspace whose other records go")
        return self

    @property
    def records(self) -> list[Any]:
        """The records, each with its workspace."""
        if self.project_id is None:
            return self.environments
        return [
            {"project_id": self.project_id, **each} if isinstance(each, dict) else each
            for each in self.environments
        ]


class ItemView(View):
    """What becomes of one record; `index` is null for one that is pruned."""

    index: int | None
    action: Literal["created", "changed", "unchanged", "removed"]
    environment_id: str
    slug: str
    changes: list[dict[str, Any]]


class AppliedView(View):
    """What was, or would be, done."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    removed: int
    results: list[ItemView]
    routing: BatchRoutingView | None = None


class DryAppliedView(AppliedView, DifferenceView):
    """What would be done, and what Traefik would see of it."""


async def apply_environments(request: web.Request) -> web.Response:
    """Create or change the declared records, all or none; the answer says what became of each."""
    try:
        given = Declarations.model_validate(await json_body(request, BATCH_BYTES_MAX))
    except ValidationError as error:
        raise InvalidRecord("not a list of declared records", field_errors(error)) from None
    records = [request.app[SURFACE].health.as_stored(each) for each in given.records]
    _refuse_strays(records, given.project_id)
    prune = given.project_id if given.prune else None
    return await written(
        request,
        lambda store: store.apply(records, prune=prune, by=author(request)),
        lambda items: Made(_view(items, dry_run=False), _ids(items)),
        lambda items, _: _view(items, dry_run=True),
        dry_run=given.dry_run,
    )


def _ids(items: Sequence[Item]) -> list[str]:
    return [each.environment.environment_id for each in items if each.environment]


def _view(items: Sequence[Item], *, dry_run: bool) -> dict[str, Any]:
    counts = Counter[str](item.action for item in items)
    actions = ("created", "changed", "unchanged", "removed")
    return {
        "dry_run": dry_run,
        **{action: counts[action] for action in actions},
        "results": [item.view() for item in items],
    }


def _refuse_strays(records: Sequence[Any], project_id: str | None) -> None:
    """A record of another workspace than the one that was said: one of the two is a mistake."""
    faults = [
        FieldError(
            f"/environments/{index}/project_id",
            f"{record['project_id']!r} contradicts the project_id of the batch",
        )
        for index, record in enumerate(records)
        if isinstance(record, dict) and project_id not in (None, record.get("project_id"))
    ]
    if faults:
        raise InvalidRecord("records of another workspace", faults)
