"""What the catalogue and the document say of an environment. Pure.

`since` is left out here: it is not in what is judged.
"""

from __future__ import annotations

from provider.render.compile import is_rendered_alike
from provider.render.document import Document
from provider.routing.values import Condition
from registry.entries import Entry
from registry.schema import Environment


def validity(entry: Entry) -> Condition:
    """Whether the stored record is in force as it is written."""
    if entry.fault is None:
        return Condition("True", "valid", "the record is valid")
    errors = "; ".join(str(error) for error in entry.fault.errors)
    kept = "; its last good version stays in force" if entry.environment else ""
    return Condition("False", entry.fault.code, f"{errors}{kept}")


def acceptance(environment: Environment | None, document: Document | None) -> Condition:
    """Whether no claim is lost to another environment, nor refused."""
    if environment is None:
        return Condition("Unknown", "no_good_version", "the record never was good")
    if document is None:
        return _NOT_RENDERED
    rejection = document.rejected.get(environment.environment_id)
    if rejection is not None:
        return Condition("False", rejection.code, f"{rejection.pointer}: {rejection.message}")
    lost = document.lost.get(environment.environment_id, ())
    if lost:
        messages = "; ".join(conflict.message for conflict in lost)
        return Condition("False", "route_conflict", messages)
    if document.fragment(environment.environment_id) is None:
        return Condition("True", "claims_nothing", "it claims no route")
    return Condition("True", "accepted", "no claim of it is lost")


def publication_of(
    environment: Environment | None, rendered: Environment | None, document: Document | None
) -> Condition:
    """Whether the document in force has it; `rendered` is the record that it was made from."""
    if environment is None:
        return Condition("False", "no_good_version", "the record never was good")
    if document is None:
        return _NOT_RENDERED
    if rendered is None or not is_rendered_alike(rendered, environment):
        return Condition("Unknown", "not_rendered", "its last change is being rendered")
    if document.has(environment.environment_id):
        message = f"document {document.digest} has it"
        return Condition("True", "published", message, digest=document.digest)
    return _absence(environment, document)


def _absence(environment: Environment, document: Document) -> Condition:
    digest = document.digest
    if environment.router is None:
        return Condition("False", "not_routed", "it has no metadata.router", digest=digest)
    if not environment.routed:
        state = environment.lifecycle.state
        return Condition(
            "False", "lifecycle_state", f"a {state} environment claims no route", digest=digest
        )
    rejection = document.rejected.get(environment.environment_id)
    if rejection is not None:
        return Condition("False", rejection.code, rejection.message, digest=digest)
    return Condition("False", "route_conflict", "all its claims are lost", digest=digest)


_NOT_RENDERED = Condition("Unknown", "not_rendered", "nothing was rendered since the start")
