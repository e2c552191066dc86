"""An environment's share of the document, and the tag that tells two shares apart."""

from __future__ import annotations

from typing import Any

import pytest

from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.schema import Environment
from tests.records import environment, router
from tests.records import routed as routed_record


def document(*environments: Environment) -> Document:
    """The document of these."""
    return assemble(Compiler(Rules()).compile_all(environments))


def test_others_have_no_say_in_a_tag() -> None:
    alone = document(routed_record("dev"))
    together = document(routed_record("dev"), routed_record("other"))
    assert alone.digest != together.digest
    assert alone.shares["env-dev"] == together.shares["env-dev"]


def test_what_traefik_cannot_see_has_no_say_in_a_tag() -> None:
    one = environment(slug="dev", health={"status": "degraded"}, **router())
    assert document(one).shares == document(routed_record("dev")).shares


@pytest.mark.parametrize(
    "fields",
    [
        {"service_url": "http://10.0.0.2:9000"},
        {"hostnames": ["other.test"]},
        {"path_prefix": "/app"},
        {"entrypoints": ["web"]},
        {"middlewares": ["auth"]},
        {"pass_host_header": False},
    ],
)
def test_each_thing_that_traefik_sees_changes_the_tag(fields: dict[str, Any]) -> None:
    changed = document(routed_record("dev", **fields)).shares
    assert changed.keys() == {"env-dev"}
    assert changed != document(routed_record("dev")).shares


def test_a_lost_claim_changes_the_tag_and_nothing_left_is_no_share() -> None:
    older = routed_record("a", hostnames=["x.test"], created_at="2025-01-01T00:00:00Z")
    whole, loser = document(older), routed_record("b", hostnames=["x.test"])
    contested = document(older, loser)
    assert "env-b" not in contested.shares
    assert contested.share("env-b") is None
    assert contested.shares["env-a"] == whole.shares["env-a"]

    partly = routed_record("b", hostnames=["x.test", "y.test"])
    assert document(older, partly).shares["env-b"] != document(partly).shares["env-b"]


def test_a_share_is_what_the_document_has() -> None:
    made = document(routed_record("dev", path_prefix="/app"))
    share = made.share("env-dev")
    assert share is not None
    assert share.document()["http"].keys() == {"routers", "services", "middlewares"}
    plain = document(routed_record("dev")).share("env-dev")
    assert plain is not None
    assert plain.document()["http"].keys() == {"routers", "services"}, "no empty maps"
