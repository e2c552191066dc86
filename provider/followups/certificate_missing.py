"""A host that is to be served over TLS, and for which there is no certificate."""

from __future__ import annotations

from collections.abc import Iterator

from provider.followups.values import Finding
from provider.followups.world import World, follow_up, quoted_conventions, tls_hosts, urgency


def find(world: World) -> Iterator[Finding]:
    """Of each environment the hosts that no certificate is for; one that is there for another
    environment will do, and so will a certificate resolver."""
    for environment in world.wanted:
        own = world.own.get(environment.environment_id)
        if world.has_resolver and own is None:
            continue
        if own is not None and own.pair is not None:
            continue  # whether it covers its hosts is another question
        missing = [host for host in tls_hosts(world, environment) if not world.is_covered(host)]
        if missing:
            problem = own.problem if own else "the record names no certificate"
            yield follow_up(
                "certificate_missing",
                environment,
                "",
                urgency(environment),
                f"Get a certificate for {', '.join(missing)}, put it and its key into "
                f"data/router/certs, and name both in metadata.router.tls"
                f"{quoted_conventions(environment)}.",
                {"hosts": missing, "problem": problem},
            )
