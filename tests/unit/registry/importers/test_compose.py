"""Compose files become records: situations, each with what comes of it and what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from registry.importers.compose import from_compose, stack_name
from registry.importers.imported import Imported, completed
from registry.importers.interpolation import interpolate
from registry.yaml_text import dump, parse_documents

ABOUT = {"project_id": "shop", "host": "box.test", "stack": "shop"}


def imported(services: Any, **more: Any) -> Imported:
    """What a file with these services comes to."""
    return from_compose({"services": services}, **{**ABOUT, **more})


def only(service: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The record of a file whose only service is this one, `web`."""
    (record,) = imported({"web": service}, **more).records
    return record


def test_a_described_service_makes_a_record_and_a_silent_one_makes_none() -> None:
    found = imported(
        {
            "db": {"image": "postgres", "ports": ["5432:5432"]},
            "web": {"ports": ["8080:80"], "labels": ["routebook.hostnames=shop.test"]},
        }
    )
    assert found == Imported(
        (
            {
                "project_id": "shop",
                "slug": "shop-web",
                "name": "Shop web",
                "host": {"hostname": "box.test", "provider": "compose", "region": "local"},
                "ports": [{"name": "web-80", "port": 8080, "protocol": "tcp"}],
                "lifecycle": {"state": "active"},
                "metadata": {"router": {"hostnames": ["shop.test"], "port": "web-80"}},
            },
        ),
        (),
    )


def test_every_word_has_its_place_in_the_record() -> None:
    labels = {
        "slug": "s",
        "name": "N",
        "description": "D",
        "environment_id": "env-s-1",
        "project_id": "other",
        "hostnames": "a.test,b.test",
        "entrypoints": "web,websecure",
        "path_prefix": "/app",
        "strip_prefix": "false",
        "middlewares": "auth@file",
        "pass_host_header": "true",
        "server_urls": "http://10.0.0.1:80,http://10.0.0.2:80",
        "tls.cert_file": "a.crt",
        "tls.key_file": "a.key",
        "tls.domains": "a.test",
        "lifecycle": "planned",
        "lifecycle.notes": "L",
        "health.url": "http://a.test/up",
        "health.notes": "H",
        "owner.name": "Ann",
        "owner.email": "ann@a.test",
        "owner.slack": "@ann",
        "owner.role": "owner",
        "host.hostname": "other.test",
        "host.ip": "192.0.2.1",
        "host.notes": "O",
        "host.provider": "p",
        "host.region": "r",
        "metadata.tier": "gold",
    }
    record = only({"labels": {f"routebook.{word}": value for word, value in labels.items()}})
    assert record == {
        "environment_id": "env-s-1",
        "project_id": "other",
        "slug": "s",
        "name": "N",
        "description": "D",
        "host": {
            "hostname": "other.test",
            "provider": "p",
            "region": "r",
            "ip": "192.0.2.1",
            "notes": "O",
        },
        "owner": {"name": "Ann", "email": "ann@a.test", "slack": "@ann", "role": "owner"},
        "lifecycle": {"state": "planned", "notes": "L"},
        "health": {"status": "unknown", "url": "http://a.test/up", "notes": "H"},
        "metadata": {
            "tier": "gold",
            "router": {
                "hostnames": ["a.test", "b.test"],
                "entrypoints": ["web", "websecure"],
                "server_urls": ["http://10.0.0.1:80", "http://10.0.0.2:80"],
                "path_prefix": "/app",
                "strip_prefix": False,
                "middlewares": ["auth@file"],
                "pass_host_header": True,
                "tls": {"cert_file": "a.crt", "key_file": "a.key", "domains": ["a.test"]},
            },
        },
    }


INSIDE = "Traefik must share a network with the service, to reach http://web:9000"


@pytest.mark.parametrize(
    ("service", "upstream", "remarks"),
    [
        ({"ports": ["8080:80"]}, {"port": "web-80"}, ()),
        ({"ports": ["8080:80", "5353:53/udp"]}, {"port": "web-80"}, ()),
        ({"ports": ["8080:80", "8443:443"], "x": {"port": 443}}, {"port": "web-443"}, ()),
        ({"ports": [{"target": 80, "published": 1, "name": "ui"}]}, {"port": "ui"}, ()),
        ({"x": {"port": 9000}}, {"service_url": "http://web:9000"}, (INSIDE,)),
        (
            {"x": {"port": 9000}, "ports": ["8080:80"]},
            {"service_url": "http://web:9000"},
            (INSIDE,),
        ),
        (
            {"x": {"port": 9000}, "ports": ["9000:9000/udp"]},
            {"service_url": "http://web:9000"},
            (INSIDE,),
        ),
        ({"expose": ["9000"]}, {"service_url": "http://web:9000"}, (INSIDE,)),
        ({"expose": ["9000"], "ports": ["8080:80"]}, {"port": "web-80"}, ()),
        ({"expose": ["1", "2"]}, None, ("several ports (1, 2); give routebook.port",)),
        ({"ports": ["1:3", "2:4"]}, None, ("several ports (3, 4); give routebook.port",)),
        ({"ports": ["80"]}, None, ("port 80/tcp has no fixed port on the host",)),
        ({}, None, ()),
        ({"x": {"hostnames": "a.test"}}, None, ("no router, since it has no port",)),
        (
            {"x": {"service_url": "http://a.test:1"}, "ports": ["1:3", "2:4"]},
            {"service_url": "http://a.test:1"},
            (),
        ),
        (
            {"x": {"service_url": "http://a.test:1", "port": 3}},
            {"service_url": "http://a.test:1"},
            ("port: not used beside service_url",),
        ),
        ({"network_mode": "host", "x": {"port": 3}, "ports": ["1:2"]}, {"port": "web-3"}, ()),
    ],
)
def test_where_requests_go(
    service: dict[str, Any], upstream: dict[str, Any] | None, remarks: tuple[str, ...]
) -> None:
    found = imported({"web": {"x-routebook": service.pop("x", {}), **service}})
    assert found.records[0].get("metadata", {}).get("router") == upstream
    assert len(found.left_out) == len(remarks)
    for said, remark in zip(found.left_out, remarks, strict=True):
        assert said.startswith("services.web: ")
        assert remark in said
    completed(found.records[0])


@pytest.mark.parametrize(
    ("about", "words", "host"),
    [
        ({}, {}, {"hostname": "box.test"}),
        ({"ip": "192.0.2.9"}, {}, {"hostname": "box.test", "ip": "192.0.2.9"}),
        ({"host": "192.0.2.7"}, {}, {"hostname": "192.0.2.7", "ip": "192.0.2.7"}),
        ({"host": "2001:db8::7"}, {}, {"hostname": "2001:db8::7", "ip": "2001:db8::7"}),
        ({"ip": "192.0.2.9"}, {"hostname": "b.test"}, {"hostname": "b.test"}),
        ({}, {"hostname": "192.0.2.8"}, {"hostname": "192.0.2.8", "ip": "192.0.2.8"}),
    ],
)
def test_where_the_stack_is_said_to_live(
    about: dict[str, Any], words: dict[str, Any], host: dict[str, Any]
) -> None:
    record = only({"x-routebook": {"host": words}}, **about)
    assert record["host"] == {**host, "provider": "compose", "region": "local"}


@pytest.mark.parametrize(
    ("service", "remark"),
    [
        (
            {"labels": {"routebook.hostname": "a"}},
            "'routebook.hostname' is not known; near it: hostnames",
        ),
        ({"x-routebook": {}, "extends": {"service": "x"}}, "extends: what is inherited"),
        ({"extends": {"service": "x"}}, "extends: what is inherited"),
        ({"x-routebook": {"slug": "Bad Slug"}}, "no record is made: /slug: must be 1 to 63"),
        ({"x-routebook": {"owner.email": "a@a.test"}}, "no record is made: /owner/name"),
        (
            {"x-routebook": {"hostnames": ["a b"]}, "ports": ["1:2"]},
            "no record is made: /metadata/router/hostnames/0",
        ),
    ],
)
def test_what_could_not_be_carried_over_is_said_with_its_service(
    service: dict[str, Any], remark: str
) -> None:
    (said,) = imported({"web": service}).left_out
    assert said.startswith("services.web: ")
    assert remark in said


def test_a_file_that_includes_others_is_told_of() -> None:
    found = from_compose({"include": ["other.yml"]}, project_id="p", host="h.test", stack="s")
    assert found.records == ()
    assert found.left_out[0].startswith("include: ")


def test_a_disabled_service_has_no_record_and_no_remark() -> None:
    service = {"labels": {"routebook.enable": "false", "routebook.nonsense": "x"}}
    assert imported({"web": service}) == Imported((), ())


def test_slugs_that_fall_together_are_told_apart_and_given_ones_are_left_out() -> None:
    plain: dict[str, Any] = {"x-routebook": {}}
    found = imported({"a.b": plain, "a-b": plain, "c": {"x-routebook": {"slug": "shop-a-b"}}})
    assert [record["slug"] for record in found.records] == ["shop-a-b", "shop-a-b-2"]
    assert found.left_out == (
        "services.c: no record is made: the slug 'shop-a-b' is another service's",
    )


def test_a_route_that_an_earlier_service_claims_is_told_of() -> None:
    found = imported(
        {
            "a": {"x-routebook": {}, "ports": ["1:80"]},
            "b": {"x-routebook": {}, "ports": ["2:80"]},
            "c": {"x-routebook": {"path_prefix": "/c"}, "ports": ["3:80"]},
        }
    )
    assert len(found.records) == 3
    (said,) = found.left_out
    assert said.startswith("services.b: claims a route of a; give routebook.hostnames")


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ([], "services: must be a mapping"),
        ({"web": []}, "services.web: must be a mapping"),
        ({"web": {"x-routebook": {"port": "x"}}}, "services.web: port: must be a container"),
        ({"web": {"x-routebook": {}, "ports": ["x"]}}, "services.web: ports: 'x'"),
    ],
)
def test_what_is_not_compose_is_refused_with_its_place(services: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}"):
        imported(services)


@pytest.mark.parametrize(
    ("compose", "environ", "name"),
    [
        ({}, {}, "my-shop"),
        ({"name": "Named"}, {}, "named"),
        ({"name": "named"}, {"COMPOSE_PROJECT_NAME": "of_env"}, "of-env"),
        ({"name": "named"}, {"COMPOSE_PROJECT_NAME": ""}, "named"),
        ({"name": "___"}, {}, "my-shop"),
    ],
)
def test_a_stack_is_named_as_compose_names_it(
    compose: dict[str, Any], environ: dict[str, str], name: str
) -> None:
    assert stack_name(compose, "My.Shop", environ) == name
    assert stack_name({}, "...", {}) == "stack"


FILE = """\
name: shop
x-defaults: &defaults
  restart: unless-stopped
  labels: &labels
    routebook.entrypoints: websecure
    routebook.middlewares: auth@file
services:
  web:
    <<: *defaults
    image: shop/web:${TAG:-latest}
    ports: ["${WEB_PORT:-8080}:80", "127.0.0.1:9229:9229"]
    labels:
      <<: *labels
      routebook.hostnames: ${STAGE}.shop.test,www.${STAGE}.shop.test
      routebook.port: 80
  api:
    expose: [22:22]
    x-routebook:
      hostnames: ["${STAGE}.shop.test"]
      path_prefix: /api
      strip_prefix: ${STRIP:-false}
      service_url: http://api:9000
  db:
    image: postgres
"""


def test_a_file_as_people_write_it_becomes_records_that_read_back_from_yaml() -> None:
    (document,) = parse_documents(FILE)
    compose, warnings = interpolate(document.value, {"STAGE": "dev"})
    found = from_compose(compose, **{**ABOUT, "stack": stack_name(compose, "x", {})})
    assert warnings == ()
    (said,) = found.left_out
    assert said.startswith("services.web: port 9229 is published on loopback")
    web, api = found.records
    assert web["metadata"]["router"] == {
        "hostnames": ["dev.shop.test", "www.dev.shop.test"],
        "entrypoints": ["websecure"],
        "middlewares": ["auth@file"],
        "port": "web-80",
    }
    assert [port["port"] for port in web["ports"]] == [8080, 9229]
    assert api["metadata"]["router"]["strip_prefix"] is False
    (written,) = parse_documents(dump(list(found.records)))
    assert written.value == list(found.records)


def test_a_port_on_loopback_is_said_where_the_host_is_another_machine() -> None:
    for ports in (["127.0.0.1:8080:80"], [{"target": 80, "published": 80, "host_ip": "::1"}]):
        compose = {"services": {"web": {"ports": ports, "labels": {"routebook.slug": "web"}}}}
        said = from_compose(compose, project_id="shop", host="dev1.test", stack="shop").left_out
        assert any("loopback" in sentence for sentence in said), ports
        assert not from_compose(compose, project_id="shop", host="127.0.0.1", stack="s").left_out


def test_a_long_range_of_ports_costs_the_ports_and_not_the_record() -> None:
    web = {"ports": ["10000-20000:10000-20000/udp", "80:80"], "labels": {"routebook.slug": "web"}}
    compose = {"services": {"web": web}}
    imported = from_compose(compose, project_id="shop", host="dev1.test", stack="shop")
    assert len(imported.records[0]["ports"]) == 100
    assert any("10002 published ports" in sentence for sentence in imported.left_out)
