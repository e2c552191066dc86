"""Problems: the one table of codes and statuses, and their JSON (RFC 9457)."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import Any

from aiohttp import web

from registry.errors import RegistryError, Unauthenticated

STATUS: dict[str, int] = {
    "malformed_json": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "host_not_allowed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "slug_taken": 409,
    "id_taken": 409,
    "route_conflict": 409,
    "edited_elsewhere": 409,
    "catalogue_unreadable": 409,
    "quarantined": 409,
    "edit_held": 409,
    "foreign_files": 409,
    "dev_ca_unusable": 409,
    "revision_conflict": 412,
    "too_large": 413,
    "unsupported_media_type": 415,
    "invalid_record": 422,
    "unknown_project": 422,
    "forbidden_upstream": 422,
    "name_not_permitted": 422,
    "slow_down": 429,
    "internal": 500,
    "store_unavailable": 503,
    "not_ready": 503,
    "disk_full": 507,
}


def problem_of(error: RegistryError) -> web.Response:
    """The response for one of the registry's errors."""
    response = _problem(members_of(error))
    if "retry_after_s" in error.facts:
        response.headers["Retry-After"] = str(math.ceil(float(str(error.facts["retry_after_s"]))))
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="routebook"'
    return response


def members_of(error: RegistryError) -> dict[str, Any]:
    """The members of the problem document of one of the registry's errors."""
    errors = [{"pointer": fault.pointer, "message": fault.message} for fault in error.errors]
    return _members(error.code, error.detail, errors=errors or None, **error.facts)


def problem(code: str, detail: str, **members: Any) -> web.Response:
    """A problem document; members that are None are left out."""
    return _problem(_members(code, detail, **members))


def _members(code: str, detail: str, **members: Any) -> dict[str, Any]:
    status = STATUS[code]
    return {
        "type": f"urn:routebook:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **{key: value for key, value in members.items() if value is not None},
    }


def _problem(members: dict[str, Any]) -> web.Response:
    return web.Response(
        body=json.dumps(members, ensure_ascii=True).encode(),
        status=members["status"],
        content_type="application/problem+json",
    )
