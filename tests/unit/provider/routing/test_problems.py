"""What is wrong with one Traefik, as problems."""

from __future__ import annotations

from dataclasses import replace

from provider.observe.facts import EntryPoint
from provider.routing.problems import problems_of
from tests.unit.fakes import NOON
from tests.unit.provider.routing.scene import AWAY, URL, fault, here

TLS = frozenset({"websecure"})


def test_one_that_is_away_is_a_fact_and_no_problem() -> None:
    away = replace(AWAY, faults=(fault("env-a"),))
    assert list(problems_of(away, NOON, TLS)) == []


def test_a_refused_document_is_a_problem_of_no_single_environment() -> None:
    [problem] = problems_of(here("A"), NOON, TLS)
    assert (problem.code, problem.environment_id) == ("document_refused", None)
    assert URL in problem.detail
    assert "2026-03-01T12:00:00Z" in problem.detail


def test_a_router_at_fault_is_a_problem_of_its_environment() -> None:
    faults = (fault("env-a"), fault("env-b", "warning", service="env-b@http"))
    found = [(p.code, p.environment_id) for p in problems_of(here("A", faults=faults), None, TLS)]
    assert found == [("router_disabled", "env-a"), ("router_warning", "env-b")]


def test_an_entrypoint_with_tls_that_we_take_for_plain_is_a_problem() -> None:
    web = EntryPoint("web", ":80", 80, tls=True)
    websecure = EntryPoint("websecure", ":443", 443, tls=True)
    [problem] = problems_of(here("A", entrypoints=(web, websecure)), None, TLS)
    assert problem.code == "entrypoint_kind"
    assert "ROUTEBOOK_TLS_ENTRYPOINTS" in problem.detail


def test_one_without_tls_of_its_own_is_none_since_the_routers_carry_it() -> None:
    assert (
        list(problems_of(here("A", entrypoints=(EntryPoint("websecure", "", 1),)), None, TLS)) == []
    )
