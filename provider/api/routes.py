"""The API in one table: method, path, who may call, what answers, and its shapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from provider.api.apply import (
    AppliedView,
    Declarations,
    DryAppliedView,
    apply_environments,
)
from provider.api.auth import Login, login, logout, me
from provider.api.certificates import CertificatesView, list_certificates
from provider.api.environments import (
    create_environment,
    delete_environment,
    list_environments,
    patch_environment,
    read_environment,
    replace_environment,
)
from provider.api.events import EventsQuery, stream_events
from provider.api.explain import ExplainQuery, explain_route
from provider.api.health import health, healthz, readyz
from provider.api.history import (
    HistoryQuery,
    Revert,
    confirm_edit,
    read_environment_history,
    read_history,
    revert_environment,
)
from provider.api.human_tasks import (
    TaskChange,
    TasksQuery,
    TasksView,
    TaskView,
    change_task,
    list_tasks,
    read_task,
)
from provider.api.issuing import (
    AuthorityView,
    DryIssuedView,
    IssuedView,
    Issuing,
    issue_certificate,
    read_dev_ca,
)
from provider.api.listing import ListQuery
from provider.api.openapi_page import openapi_page
from provider.api.projects import list_projects, read_project
from provider.api.prometheus import metrics
from provider.api.published_routes import RoutesQuery, RoutesView, list_routes
from provider.api.requests import WriteQuery
from provider.api.routing import RoutingView, list_traefiks, read_routing
from provider.api.traefik_config import ConfigQuery, traefik_config
from provider.api.views import EnvironmentView, ListView, ProjectsView, StatusView
from provider.api.writing import DryConfirmView, DryRunView
from provider.auth.access import Access
from registry.event_stream import MEDIA_TYPE
from registry.project_spec import ProjectDefinition

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ANY_JSON: dict[str, Any] = {"type": "object"}
TEXT: dict[str, Any] = {"type": "string"}


class NoQuery(BaseModel, extra="forbid"):
    """A route that takes no query parameter."""


@dataclass(frozen=True)
class Route:
    """One row. `body` is what a request carries (a form of the record by name, or a model).

    `answer` is what a success is, by `status` and in this `media` type; `also` are
    further successes; `dry` is what `dry_run` answers, with 200.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    answer: type[BaseModel] | dict[str, Any] | None
    status: int = 200
    query: type[BaseModel] = NoQuery
    body: str | type[BaseModel] | None = None
    codes: tuple[str, ...] = ()
    also: tuple[int, ...] = ()
    media: str = "application/json"
    dry: type[BaseModel] | None = None


_WRITE = (
    "malformed_json",
    "too_large",
    "unsupported_media_type",
    "invalid_record",
    "unknown_project",
    "forbidden_upstream",
    "slug_taken",
    "id_taken",
    "route_conflict",
    "catalogue_unreadable",
    "edit_held",
    "store_unavailable",
    "disk_full",
)
_CHANGE = (*_WRITE, "not_found", "revision_conflict", "quarantined", "edited_elsewhere")
_ONE = "/api/environments/{ref}"
_ALL = "/api/environments"

ROUTES: tuple[Route, ...] = (
    Route("GET", _ALL, Access.VIEWER, list_environments, ListView, query=ListQuery,
          codes=("invalid_record", "not_ready")),
    Route("POST", _ALL, Access.OPERATOR, create_environment, EnvironmentView, 201,
          query=WriteQuery, body="create", codes=_WRITE, dry=DryRunView),
    Route("GET", _ONE, Access.VIEWER, read_environment, EnvironmentView,
          codes=("not_found", "quarantined", "not_ready")),
    Route("PUT", _ONE, Access.OPERATOR, replace_environment, EnvironmentView,
          query=WriteQuery, body="replace", codes=_CHANGE, dry=DryRunView),
    Route("PATCH", _ONE, Access.OPERATOR, patch_environment, EnvironmentView,
          query=WriteQuery, body="patch", codes=_CHANGE, dry=DryRunView),
    Route("DELETE", _ONE, Access.OPERATOR, delete_environment, None, 204,
          query=WriteQuery, dry=DryRunView,
          codes=("not_found", "revision_conflict", "edited_elsewhere", "catalogue_unreadable",
                 "edit_held", "store_unavailable", "disk_full")),
    Route("POST", f"{_ALL}:apply", Access.OPERATOR, apply_environments, AppliedView,
          query=WriteQuery, body=Declarations, codes=(*_WRITE, "edited_elsewhere"),
          dry=DryAppliedView),
    Route("GET", "/api/routes", Access.VIEWER, list_routes, RoutesView, query=RoutesQuery,
          codes=("invalid_record", "not_ready")),
    Route("GET", "/api/routes/explain", Access.VIEWER, explain_route, ANY_JSON,
          query=ExplainQuery, codes=("invalid_record", "not_ready")),
    Route("GET", f"{_ONE}/routing", Access.VIEWER, read_routing, RoutingView,
          codes=("not_found", "not_ready")),
    Route("GET", "/api/traefiks", Access.VIEWER, list_traefiks, ANY_JSON),
    Route("GET", "/api/certificates", Access.VIEWER, list_certificates, CertificatesView,
          codes=("not_ready",)),
    Route("GET", f"{_ONE}/history", Access.VIEWER, read_environment_history, ANY_JSON,
          codes=("not_found",)),
    Route("POST", f"{_ONE}/revert", Access.OPERATOR, revert_environment, EnvironmentView,
          query=WriteQuery, body=Revert, codes=_CHANGE, also=(204,), dry=DryRunView),
    Route("GET", "/api/history", Access.VIEWER, read_history, ANY_JSON, query=HistoryQuery),
    Route("POST", "/api/catalogue/confirm", Access.OPERATOR, confirm_edit, ANY_JSON,
          query=WriteQuery, dry=DryConfirmView, body="ignored",
          codes=("unsupported_media_type", "catalogue_unreadable",
                                 "edited_elsewhere", "store_unavailable", "disk_full")),
    Route("POST", "/api/certificates", Access.OPERATOR, issue_certificate, IssuedView, 201,
          query=WriteQuery, body=Issuing, dry=DryIssuedView,
          codes=(*_CHANGE, "foreign_files", "dev_ca_unusable", "name_not_permitted")),
    Route("GET", "/api/certificates/ca", Access.VIEWER, read_dev_ca, AuthorityView,
          codes=("not_found", "dev_ca_unusable")),
    Route("POST", "/api/auth/login", Access.OPEN, login, ANY_JSON, body=Login,
          codes=("malformed_json", "too_large", "unsupported_media_type", "invalid_record",
                 "unauthenticated", "slow_down", "store_unavailable", "disk_full")),
    Route("POST", "/api/auth/logout", Access.VIEWER, logout, None, 204,
          body="ignored", codes=("unsupported_media_type",)),
    Route("GET", "/api/auth/me", Access.VIEWER, me, ANY_JSON),
    Route("GET", "/api/human-tasks", Access.VIEWER, list_tasks, TasksView, query=TasksQuery,
          codes=("invalid_record",)),
    Route("GET", "/api/human-tasks/{id}", Access.VIEWER, read_task, TaskView,
          codes=("not_found",)),
    Route("POST", "/api/human-tasks/{id}", Access.OPERATOR, change_task, TaskView,
          body=TaskChange, codes=("malformed_json", "too_large", "unsupported_media_type",
                                  "invalid_record", "not_found", "store_unavailable",
                                  "disk_full")),
    Route("GET", "/api/projects", Access.VIEWER, list_projects, ProjectsView),
    Route("GET", "/api/projects/{id}", Access.VIEWER, read_project, ProjectDefinition,
          codes=("not_found",)),
    Route("GET", "/api/events", Access.VIEWER, stream_events, TEXT, query=EventsQuery,
          codes=("slow_down",), media=MEDIA_TYPE),
    Route("GET", "/api/health", Access.OPEN, health, ANY_JSON),
    Route("GET", "/api/openapi.json", Access.OPEN, openapi_page, ANY_JSON),
    Route("GET", "/healthz", Access.OPEN, healthz, StatusView),
    Route("GET", "/readyz", Access.OPEN, readyz, StatusView, codes=("not_ready",)),
    Route("GET", "/metrics", Access.VIEWER, metrics, TEXT, media="text/plain"),
    Route("GET", "/traefik/config", Access.TRAEFIK, traefik_config, ANY_JSON,
          query=ConfigQuery, codes=("invalid_record", "not_ready")),
)  # fmt: skip
