"""The registry's errors: a code that clients rely on, words for people, the places at fault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place in a record that is wrong: a JSON pointer (RFC 6901), and what would be right."""

    pointer: str
    message: str


class RegistryError(Exception):
    """A wrong caller or a failing store. `code` is stable and part of the outside surface."""

    code: ClassVar[str]

    def __init__(self, detail: str, errors: Iterable[FieldError] = (), **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.facts = facts


class InvalidRecord(RegistryError):
    """The record, or a query parameter, breaks a rule; `errors` has each place."""

    code = "invalid_record"


class UnknownProject(RegistryError):
    """`project_id` names no valid workspace."""

    code = "unknown_project"


class ForbiddenUpstream(RegistryError):
    """The upstream is our own listener, a Traefik API or a link-local address."""

    code = "forbidden_upstream"


class NotFound(RegistryError):
    """No environment, or workspace, has this id or slug."""

    code = "not_found"


class SlugTaken(RegistryError):
    """Another environment has this slug, or has it as its id."""

    code = "slug_taken"


class IdTaken(RegistryError):
    """Another environment has this `environment_id`, or has it as its slug."""

    code = "id_taken"


class RouteConflict(RegistryError):
    """The write adds a claim that another environment holds; `facts["holder"]` says which."""

    code = "route_conflict"


class RevisionConflict(RegistryError):
    """`If-Match` names another revision than the stored one."""

    code = "revision_conflict"


class EditedElsewhere(RegistryError):
    """The same record was changed outside while this write was under way; nothing was written."""

    code = "edited_elsewhere"


class CatalogueUnreadable(RegistryError):
    """The stored catalogue cannot be read; it is left as it is until a person mends it."""

    code = "catalogue_unreadable"


class Quarantined(RegistryError):
    """The stored record is broken, so it cannot be patched: PUT mends it, DELETE removes it."""

    code = "quarantined"


class EditHeld(RegistryError):
    """A hand edit that drops most routes waits for `routebook confirm`; no write goes over it."""

    code = "edit_held"


class NameNotPermitted(RegistryError):
    """A name that the development CA may not sign for; `errors` has each place in the record."""

    code = "name_not_permitted"


class ForeignFiles(RegistryError):
    """Certificate files that a person made stand where issued ones would go, or are in use."""

    code = "foreign_files"


class DevCaUnusable(RegistryError):
    """The development CA expired or its files are broken; it is never replaced by itself."""

    code = "dev_ca_unusable"


class StoreUnavailable(RegistryError):
    """The store does not take writes now: read-only, locked by another process, failing disk."""

    code = "store_unavailable"


class DiskFull(RegistryError):
    """No room to write; the catalogue is as it was."""

    code = "disk_full"


class NotReady(RegistryError):
    """Nothing was ever published, or the start is not over: `facts["retry_after_s"]` says when."""

    code = "not_ready"


class MalformedJson(RegistryError):
    """The request body is not JSON."""

    code = "malformed_json"


class UnsupportedMediaType(RegistryError):
    """A write without an explicit JSON content type."""

    code = "unsupported_media_type"


class TooLarge(RegistryError):
    """The request body is over its bound."""

    code = "too_large"


class HostNotAllowed(RegistryError):
    """Open mode answers local callers only: DNS rebinding, or a way in through a proxy."""

    code = "host_not_allowed"


class Unauthenticated(RegistryError):
    """No account or token, or not a valid one."""

    code = "unauthenticated"


class Forbidden(RegistryError):
    """The caller's role does not allow this."""

    code = "forbidden"


class SlowDown(RegistryError):
    """Too many failed logins, or streams; `facts["retry_after_s"]` says how long to wait."""

    code = "slow_down"
