"""A certificate that is not for a host of the environment that names it."""

from __future__ import annotations

from collections.abc import Iterator

from provider.certificate_rules import hosts_not_covered
from provider.followups.values import Finding
from provider.followups.world import World, follow_up, served_pairs, tls_hosts


def find(world: World) -> Iterator[Finding]:
    """A host that another certificate is for needs nothing."""
    for environment, pair, file in served_pairs(world):
        hosts = hosts_not_covered(pair.names, tls_hosts(world, environment))
        missing = [host for host in hosts if not world.is_covered(host)]
        if missing:
            yield follow_up(
                "certificate_not_covering",
                environment,
                file,
                "medium",
                f"Get a certificate that is also for {', '.join(missing)}: {file} is not.",
                {"file": file, "hosts": missing, "names": list(pair.names)},
            )
