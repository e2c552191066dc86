"""What is new between two passes: whose part changed, which claims were lost, what broke."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from provider.news import (
    changed_environments,
    news_of_conflicts,
    news_of_document,
    news_of_faults,
    news_of_revision,
)
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from registry.entries import Fault, Place, PlacedError
from registry.revisions import Author, Revision
from registry.schema import Environment
from tests.records import record, router
from tests.unit.fakes import NOON


def environment(slug: str, host: str | None = None, **fields: Any) -> Environment:
    """A routed environment, `<slug>.test` unless told otherwise."""
    section = router(hostnames=[host or f"{slug}.test"])
    return Environment.model_validate(record(slug=slug, **section, **fields))


def document(*environments: Environment) -> Document:
    """What they make, compiled anew."""
    return assemble(Compiler(Rules()).compile_all(environments))


def test_the_part_of_who_came_went_or_changed_has_changed() -> None:
    before = document(environment("same"), environment("other"), environment("gone"))
    after = document(environment("same"), environment("other", "new.test"), environment("came"))
    assert changed_environments(before, after) == ["env-came", "env-gone", "env-other"]
    assert changed_environments(after, after) == []


def test_what_traefik_cannot_see_changes_no_part() -> None:
    one = environment("one")
    renamed = one.model_copy(update={"slug": "two", "created_at": NOON})
    assert changed_environments(document(one), document(renamed)) == []


def test_a_claim_that_is_lost_changes_the_part_of_its_loser() -> None:
    older = environment("older", "dev.test", created_at="2026-01-01T00:00:00Z")
    loser = Environment.model_validate(
        record(
            slug="younger",
            created_at="2026-02-01T00:00:00Z",
            **router(hostnames=["dev.test", "mine.test"]),
        )
    )
    assert changed_environments(document(loser), document(older, loser)) == [
        "env-older", "env-younger",
    ]  # fmt: skip


def test_without_a_document_before_it_is_not_known_whose_part_changed() -> None:
    news = news_of_document(None, document(environment("one")))
    assert (news.kind, news.data["routes"], news.data["environments"]) == ("published", 1, None)


def lost_to(*holders: str) -> Document:
    """A document in which `loser` lost one claim to the first of these that has it."""
    ages = {name: f"2026-01-0{number + 1}T00:00:00Z" for number, name in enumerate(holders)}
    claimants = [environment(name, "dev.test", created_at=at) for name, at in ages.items()]
    return document(*claimants, environment("loser", "dev.test", created_at="2026-03-01T00:00:00Z"))


def conflicts(before: Document, after: Document) -> list[tuple[str, str, str]]:
    """Kind, loser and holder of each piece of news."""
    news = news_of_conflicts(before.conflicts, after.conflicts)
    return [(kind, data["environment"], data["holder"]) for kind, data in news]


def test_a_conflict_is_news_when_it_comes_when_its_holder_changes_and_when_it_goes() -> None:
    none, first, other = lost_to(), lost_to("first"), lost_to("other")
    assert conflicts(none, first) == [("conflict", "env-loser", "env-first")]
    assert conflicts(first, first) == []
    assert conflicts(first, other) == [("conflict", "env-loser", "env-other")]
    assert conflicts(other, none) == [("conflict_resolved", "env-loser", "env-other")]


def test_a_conflict_names_the_whole_claim() -> None:
    [news] = news_of_conflicts((), lost_to("first").conflicts)
    assert (news.data["host"], news.data["path_prefix"]) == ("dev.test", "/")
    assert news.data["entrypoint"]
    assert "env-first" in news.data["message"]


def fault(name: str, message: str = "not a name", line: int = 1) -> Fault:
    """A broken record."""
    error = PlacedError("/name", message, Place("environments.json", line, 1))
    return Fault("invalid_record", (error,), f"env-{name}", name)


def faults(before: Iterable[Fault], after: Iterable[Fault]) -> list[tuple[str, str]]:
    """Kind and environment of each piece of news."""
    return [(kind, data["environment"]) for kind, data in news_of_faults(before, after)]


def test_a_broken_record_is_news_when_it_breaks_in_another_way_and_when_it_is_mended() -> None:
    assert faults([], [fault("a")]) == [("quarantined", "env-a")]
    assert faults([fault("a")], [fault("a")]) == []
    assert faults([fault("a")], [fault("a", "too long")]) == [("quarantined", "env-a")]
    assert faults([fault("a"), fault("b")], [fault("b")]) == [("mended", "env-a")]


def test_a_broken_record_that_only_moved_is_no_news() -> None:
    assert faults([fault("a", line=1)], [fault("a", line=9)]) == []


def test_a_broken_record_without_a_name_is_news_too() -> None:
    nameless = replace(fault("a"), environment_id=None, slug=None)
    [news] = news_of_faults([], [nameless])
    assert (news.kind, news.data["environment"], news.data["slug"]) == ("quarantined", None, None)


def test_a_revision_is_told_by_pointers_alone() -> None:
    before = record(slug="one", description="old secret")
    after = {**before, "description": "new secret"}
    at = NOON + timedelta(seconds=1)
    kind, data = news_of_revision(
        Revision(7, at, Author("mika@x.test", "api"), "env-one", before, after)
    )
    assert (kind, data["changed"]) == ("environment", ["/description"])
    assert (data["revision"], data["actor"], data["source"]) == (7, "mika@x.test", "api")
    assert data["at"] == "2026-03-01T12:00:01Z"
    assert "secret" not in str(data)
