"""An owner who is not, or not any more, among the contacts of the workspace."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding
from provider.followups.world import World, follow_up
from registry.project_spec import Contact
from registry.schema import Owner


def find(world: World) -> Iterator[Finding]:
    """By e-mail where both have one, else by name; a workspace without contacts says nothing."""
    for environment in world.wanted:
        project, owner = world.projects.get(environment.project_id), environment.owner
        contacts = project.contacts if project else ()
        if not contacts or any(_same(owner, each) for each in contacts):
            continue
        yield follow_up(
            "owner_unknown",
            environment,
            "",
            "low",
            f"Give {environment.slug} an owner who is a contact of workspace "
            f"{environment.project_id}, or add {owner.name} to its contacts.",
            {"owner": owner.name, "contacts": [each.name for each in contacts]},
        )


def _same(owner: Owner, contact: Contact) -> bool:
    if owner.email and contact.email:
        return bool(owner.email.lower() == contact.email.lower())
    return bool(owner.name.strip().lower() == contact.name.strip().lower())
