"""What routers of other providers change in the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from provider.observe.facts import RouterFact
from tests.records import routed
from tests.unit.provider.explain.knowing import explained, knowledge, other, reasons, seen

URL = "https://dev.test/app"


def among(*routers: RouterFact, url: str = URL, **changes: Any) -> dict[str, Any]:
    """The explanation where one Traefik has these routers beside our `dev`."""
    ours = knowledge(routed("dev", entrypoints=["web", "websecure"]))
    known = knowledge(
        routed("dev", entrypoints=["web", "websecure"]),
        traefiks=[seen(ours, *routers, **changes)],
    )
    return explained(url, known)


def test_one_that_catches_for_sure_and_ranks_higher_is_the_answer() -> None:
    view = among(other("Host(`dev.test`)"))
    assert view["answer"]["environment"] is None
    assert (view["answer"]["router"], view["answer"]["provider"]) == ("other@file", "file")
    assert reasons(view) == [("other@file", "neighbour"), ("dev", "neighbour")]
    first, second = view["candidates"]
    assert (first["catches"], first["goes_first"], first["rule"]) == (
        "yes",
        True,
        "Host(`dev.test`)",
    )
    assert "other@file goes first" in second["message"]


def test_one_that_ranks_lower_is_a_candidate_behind_ours() -> None:
    view = among(other("Host(`dev.test`)", 5))
    assert view["answer"]["slug"] == "dev"
    assert view["answer"]["unless"] == []
    assert reasons(view) == [("dev", "answers"), ("other@file", "neighbour")]
    assert view["candidates"][1]["goes_first"] is False


def test_one_that_may_catch_and_ranks_higher_leaves_the_answer_ours_unless() -> None:
    view = among(other("HostRegexp(`^dev`)"))
    assert view["answer"]["slug"] == "dev"
    assert view["answer"]["unless"] == ["other@file"]
    assert view["candidates"][1]["catches"] == "maybe"
    assert view["candidates"][1]["goes_first"] is None


def test_of_equal_priorities_of_two_providers_nobody_knows_which_goes_first() -> None:
    view = among(other("Host(`dev.test`)", 20_001))
    assert (view["answer"]["slug"], view["answer"]["unless"]) == ("dev", ["other@file"])


def test_one_that_may_catch_what_nobody_else_does_is_no_answer() -> None:
    view = among(other("Host(`x.test`) && Header(`A`, `1`)"), url="https://x.test/")
    assert view["answer"] is None
    assert view["answers"] == [
        {"entrypoint": "websecure", "answer": None, "unless": ["other@file"]}
    ]


def test_a_redirection_of_the_entrypoint_answers_plain_requests() -> None:
    redirecting = other(
        "HostRegexp(`^.+$`)", 2**63 - 2, tls=False, name="web-to-websecure@internal"
    )
    plain = among(redirecting, url="http://dev.test/")
    assert (plain["answer"]["router"], plain["answer"]["redirect"]) == (redirecting.name, True)
    assert among(redirecting)["answer"]["slug"] == "dev"


def test_a_get_is_what_is_asked() -> None:
    assert among(other("Host(`dev.test`) && Method(`POST`)"))["answer"]["unless"] == []
    assert among(other("Host(`dev.test`) && Method(`GET`)"))["answer"]["slug"] is None


def test_disabled_routers_and_those_elsewhere_have_no_say() -> None:
    for changes in ({"status": "disabled"}, {"entrypoints": ("web2",)}):
        assert reasons(among(other("Host(`dev.test`)", **changes))) == [("dev", "answers")]


def test_a_traefik_that_was_not_reached_has_no_say_and_is_named() -> None:
    view = among(other("Host(`dev.test`)"), problem="connection refused")
    assert view["answer"]["slug"] == "dev"
    assert "was not reached" in view["notes"][0]


def test_a_router_of_one_of_two_traefiks_is_no_sure_answer() -> None:
    dev = routed("dev")
    ours = knowledge(dev)
    with_it = seen(ours, other("Host(`dev.test`)"), url="http://one.test")
    without = seen(ours, url="http://two.test")
    view = explained(URL, knowledge(dev, traefiks=[with_it, without]))
    assert (view["answer"]["slug"], view["answer"]["unless"]) == ("dev", ["other@file"])
    assert view["candidates"][1]["traefiks"] == ["http://one.test"]
    both = [with_it, seen(ours, other("Host(`dev.test`)"), url="http://two.test")]
    assert explained(URL, knowledge(dev, traefiks=both))["answer"]["router"] == "other@file"


def test_what_a_traefik_does_otherwise_than_the_document_is_noted() -> None:
    assert among()["notes"] == []
    assert "does not run the document" in among(live_digest="0" * 16)["notes"][0]
    disabled = other("-", name="env-dev.exact.websecure@http", status="disabled")
    faults = (replace(disabled, errors=("no such middleware",)),)
    [note] = among(faults=faults)["notes"]
    assert note.endswith("has disabled env-dev.exact.websecure: no such middleware")
    [note] = among(entrypoints=(seen(knowledge(routed("dev"))).entrypoints[0],))["notes"]
    assert "has no entrypoint 'websecure'" in note
