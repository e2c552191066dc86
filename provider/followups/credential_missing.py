"""A credential that is not said to be in place. Only its name is looked at, never a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provider.followups.values import Finding
from provider.followups.world import World, follow_up, urgency
from registry.schema import Environment


def find(world: World) -> Iterator[Finding]:
    """The credentials that the metadata lists, and the secret variables that the workspace
    requires: each must be listed with `ready: true`."""
    for environment in world.wanted:
        listed = {each["name"]: each for each in _listed(environment)}
        for name, credential in listed.items():
            if credential.get("ready") is not True:
                yield _missing(world, environment, name, credential)
        project = world.projects.get(environment.project_id)
        for variable in project.env_vars if project else ():
            if variable.required and variable.secret and variable.name not in listed:
                yield _missing(world, environment, variable.name, {})


def _missing(
    world: World, environment: Environment, name: str, credential: dict[str, Any]
) -> Finding:
    where = [f"{key} {credential[key]}" for key in ("vault", "ref") if _text(credential, key)]
    quoted = f" ({', '.join(where)})" if where else ""
    return follow_up(
        "credential_missing",
        environment,
        name,
        urgency(environment),
        f"Put the credential {name} in place{quoted}, then list it with ready: true in "
        "metadata.credentials.",
        {
            "name": name,
            "vault": credential.get("vault") if _text(credential, "vault") else None,
            "ref": credential.get("ref") if _text(credential, "ref") else None,
            "required_by": "record" if credential else "workspace",
        },
    )


def _listed(environment: Environment) -> Iterator[dict[str, Any]]:
    """The items that keep the convention; metadata is free, so anything may stand there."""
    given = environment.metadata.model_dump().get("credentials")
    for each in given if isinstance(given, list) else ():
        if isinstance(each, dict) and _text(each, "name"):
            yield each


def _text(item: dict[str, Any], key: str) -> bool:
    return isinstance(item.get(key), str) and bool(item[key])
