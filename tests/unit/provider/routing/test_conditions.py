"""What the catalogue and the document say of an environment."""

from __future__ import annotations

import pytest

from provider.render.document import Document
from provider.routing.conditions import acceptance, publication_of, validity
from provider.routing.values import Condition
from registry.entries import Fault, PlacedError
from registry.schema import Environment
from tests.records import environment, routed, router
from tests.unit.provider.routing.scene import document, entry

FAULT = Fault("invalid_record", (PlacedError("/slug", "too long"),), "env-dev", "dev")
OLD = "2025-01-01T00:00:00Z"


def short(condition: Condition) -> tuple[str, str]:
    """Status and reason."""
    return condition.status, condition.reason


def published(made: Environment | None, of: Document | None) -> tuple[str, str]:
    """Whether it is published, when the document was made of this very record."""
    return short(publication_of(made, made, of))


def test_a_broken_record_is_not_valid_and_says_whether_its_last_good_version_stays() -> None:
    assert short(validity(entry(routed()))) == ("True", "valid")
    broken = validity(entry(routed(), fault=FAULT))
    assert short(broken) == ("False", "invalid_record")
    assert "/slug: too long; its last good version stays in force" in broken.message
    assert "last good" not in validity(entry(None, fault=FAULT)).message


def test_of_a_record_that_never_was_good_nothing_else_is_known() -> None:
    made = document()
    assert short(acceptance(None, made)) == ("Unknown", "no_good_version")
    assert published(None, made) == ("False", "no_good_version")


def test_before_the_first_pass_nothing_is_known() -> None:
    assert short(acceptance(routed(), None)) == ("Unknown", "not_rendered")
    assert published(routed(), None) == ("Unknown", "not_rendered")


def test_a_routed_record_is_accepted_and_published_with_the_digest() -> None:
    dev = routed()
    made = document(dev)
    assert short(acceptance(dev, made)) == ("True", "accepted")
    condition = publication_of(dev, dev, made)
    assert short(condition) == ("True", "published")
    assert condition.digest == made.digest


def test_a_lost_claim_is_told_by_name_and_the_rest_stays_published() -> None:
    older, loser = routed("a", OLD, hostnames=["x.test"]), routed("b", hostnames=["x.test"])
    partly = routed("c", hostnames=["x.test", "c.test"])
    made = document(older, loser, partly)
    assert short(acceptance(older, made)) == ("True", "accepted")
    for each in (loser, partly):
        lost = acceptance(each, made)
        assert short(lost) == ("False", "route_conflict")
        assert "a" in lost.message
    assert published(loser, made) == ("False", "route_conflict")
    assert published(partly, made) == ("True", "published")


@pytest.mark.parametrize("state", ["planned", "retired"])
def test_a_state_that_claims_nothing_is_accepted_and_not_published(state: str) -> None:
    dev = environment(lifecycle={"state": state}, **router())
    made = document(dev)
    assert short(acceptance(dev, made)) == ("True", "claims_nothing")
    condition = publication_of(dev, dev, made)
    assert short(condition) == ("False", "lifecycle_state")
    assert state in condition.message


def test_without_a_router_it_is_not_routed() -> None:
    dev = environment()
    assert published(dev, document(dev)) == ("False", "not_routed")


def test_a_refused_upstream_is_told_with_its_place() -> None:
    link_local = routed(service_url="http://169.254.169.254:80")
    made = document(link_local)
    refused = acceptance(link_local, made)
    assert short(refused) == ("False", "forbidden_upstream")
    assert refused.message.startswith("/metadata/router/service_url: ")
    assert published(link_local, made) == ("False", "forbidden_upstream")


def test_a_change_that_is_not_rendered_yet_is_unknown_but_only_one_that_traefik_sees() -> None:
    before = routed()
    made = document(before)
    changed = routed(service_url="http://10.0.0.9:9000")
    assert short(publication_of(changed, before, made)) == ("Unknown", "not_rendered")
    assert short(publication_of(changed, None, made)) == ("Unknown", "not_rendered")
    described = environment(slug="dev", description="new words", **router())
    assert short(publication_of(described, before, made)) == ("True", "published")
