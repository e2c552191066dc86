"""A Traefik file as a whole: its records, their names, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importers.imported import Imported
from tests.unit.registry.importers.traefik_files import file_with, imported, one_server, router_with


def sections_of(config: Any) -> list[dict[str, Any]]:
    """The router section of each record."""
    return [record["metadata"]["router"] for record in imported(config).records]


def test_a_plain_router_is_a_whole_record_and_nothing_is_left_out() -> None:
    result = imported(file_with(router_with()), region="attic", state="planned")
    assert result == Imported(
        records=(
            {
                "project_id": "shop",
                "slug": "app",
                "name": "App",
                "host": {
                    "hostname": "10.0.0.1",
                    "provider": "traefik",
                    "region": "attic",
                    "ip": "10.0.0.1",
                },
                "lifecycle": {"state": "planned"},
                "metadata": {
                    "router": {
                        "hostnames": ["app.test"],
                        "entrypoints": ["websecure"],
                        "service_url": "http://10.0.0.1:9000",
                    }
                },
            },
        ),
        left_out=(),
    )


def test_what_may_be_secret_in_a_url_is_not_repeated() -> None:
    result = imported(file_with(router_with(), one_server("http://me:secret@10.0.0.1/?k=token")))
    assert "secret" not in str(result)
    assert "token" not in str(result)


def test_twins_on_two_entrypoints_are_one_record_with_the_shorter_name() -> None:
    config = file_with(router_with())
    plain = {"rule": "Host(`app.test`)", "service": "app", "entryPoints": ["web"]}
    config["http"]["routers"] = {"app-secure": router_with(), "app": plain}
    (record,) = imported(config).records
    assert record["slug"] == "app"
    assert record["metadata"]["router"]["entrypoints"] == ["websecure", "web"]


def test_twins_with_other_middlewares_are_two_records() -> None:
    config = file_with(router_with())
    config["http"]["routers"]["app-http"] = router_with(entryPoints=["web"], middlewares=["auth"])
    assert [record["slug"] for record in imported(config).records] == ["app", "app-http"]


def test_several_paths_are_several_records() -> None:
    config = file_with(router_with("Host(`a.test`) || Host(`b.test`) && PathPrefix(`/api/v1`)"))
    records = imported(config).records
    assert [(record["slug"], record["name"]) for record in records] == [
        ("app", "App"),
        ("app-api-v1", "App /api/v1"),
    ]
    assert [section["hostnames"] for section in sections_of(config)] == [["a.test"], ["b.test"]]


def test_slugs_are_valid_and_each_once() -> None:
    config = file_with(router_with())
    names = ["My App@file", "my.app", "é", 7]
    config["http"]["routers"] = {
        name: router_with(f"Host(`h{index}.test`)") for index, name in enumerate(names)
    }
    slugs = [record["slug"] for record in imported(config).records]
    assert len(set(slugs)) == len(names)
    assert slugs[1] == "my-app"


def test_a_claim_that_another_record_has_is_said() -> None:
    config = file_with(router_with())
    config["http"]["routers"]["second"] = router_with(middlewares=["auth@docker"])
    assert imported(config).left_out == (
        "http.routers.second: the record app has app.test/ on websecure already",
    )


def test_other_sections_and_unused_services_are_said() -> None:
    config = file_with(
        router_with(),
        tls={"certificates": [{}], "options": {"x": {}}},
        tcp={"routers": {}},
        udp={},
    )
    config["http"]["services"]["spare"] = {}
    config["http"]["serversTransports"] = {"own": {}}
    places = [sentence.partition(": ")[0] for sentence in imported(config).left_out]
    assert places == [
        "http.services.spare",
        "http.serversTransports",
        "tls.certificates",
        "tls.options",
        "tcp",
        "udp",
    ]


@pytest.mark.parametrize(
    "config",
    [{}, [], None, "x", {"http": []}, {"http": {"routers": ["a"]}}, {"http": {"services": 1}},
     {"tls": []}, {1: 2}, {"http": {None: {}}}],
)  # fmt: skip
def test_a_file_of_another_shape_makes_no_record(config: Any) -> None:
    assert imported(config).records == ()


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
shapes = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(scalars, inner, max_size=2)
)


@given(st.fixed_dictionaries({}, optional={
    key: shapes for key in ("rule", "service", "middlewares", "entryPoints", "tls", "priority")
}), shapes, st.sampled_from(["rule", "service", "none"]))  # fmt: skip
def test_no_shape_raises(router: dict[str, Any], service: Any, right: str) -> None:
    given_router = {**router_with(), **router}
    if right == "rule":
        given_router["rule"] = "Host(`app.test`) && PathPrefix(`/app`)"
    wrapped = {"loadBalancer": {"servers": [{"url": "http://10.0.0.1"}], "sticky": service}}
    imported(file_with(given_router, wrapped if right != "service" else service))


def test_a_router_that_is_left_out_is_not_remarked_on() -> None:
    router = {"rule": "Host(`app.test`)", "service": "gone", "priority": 7}
    result = imported(file_with(router))
    assert result.records == ()
    said = [each for each in result.left_out if each.startswith("http.routers.app")]
    assert len(said) == 1
    assert "left out: its service gone" in said[0]
    kept = imported(file_with({**router, "service": "app"}))
    assert any("priority is not carried over" in each for each in kept.left_out)
