"""A key that is not the one of the certificate beside it."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding
from provider.followups.world import World, follow_up


def find(world: World) -> Iterator[Finding]:
    """Of each environment whose pair does not match; its last good copy may still be served."""
    for environment in world.wanted:
        own, router = world.own.get(environment.environment_id), environment.router
        if own is None or not own.is_mismatch or router is None or router.tls is None:
            continue
        cert_file, key_file = router.tls.cert_file, router.tls.key_file
        served = "its last good copy is served" if own.pair else "nothing of it is served"
        yield follow_up(
            "key_mismatch",
            environment,
            cert_file or "",
            "medium" if own.pair else "high",
            f"Replace {key_file} by the key of {cert_file}, or both.",
            {"cert_file": cert_file, "key_file": key_file, "served": served},
        )
