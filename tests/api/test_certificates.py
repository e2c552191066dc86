"""`GET /api/certificates`: the inventory, who uses each pair, and who has loaded it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provider.observe.default_certificate import self_signed
from provider.observe.facts import CertificateFact, TraefikFacts
from provider.observe.plumbing import CertificateFile
from provider.routing.board import RoutingBoard
from tests.api.bodies import routed
from tests.api.steps import create, document, refused, until_problem, until_routed
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders, eventually
from tests.unit.provider.observe.pems import put

NOW = datetime.now(UTC)
TLS = {"cert_file": "app.crt", "key_file": "app.key"}


def made(*names: str, days: float = 90, begins_days: float = -1) -> tuple[bytes, bytes]:
    """A pair that is valid from then until then."""
    begins, ends = NOW + timedelta(days=begins_days), NOW + timedelta(days=days)
    return self_signed(list(names), begins, ends)


async def certificates(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """The inventory, by the name of the file."""
    answer = await daemon.call("GET", "/api/certificates")
    assert answer.status == 200, answer.value
    return {each["file"]: each for each in answer.value["certificates"]}


def known(monkeypatch: pytest.MonkeyPatch, *traefiks: TraefikFacts) -> None:
    """Daemons see these Traefiks."""
    monkeypatch.setattr(RoutingBoard, "facts", property(lambda _board: traefiks))


async def test_an_empty_folder_has_an_empty_inventory(daemon: Daemon) -> None:
    assert await certificates(daemon) == {}


async def test_a_pair_is_shown_with_who_uses_it_and_what_it_does_not_cover(
    daemon: Daemon,
) -> None:
    put(daemon.folders.certificates, "app", made("app.test", "*.app.test"), mode=0o640)
    one = await create(daemon, "one", **routed("app.test", "x.app.test", tls=TLS))
    two = await create(daemon, "two", **routed("y.x.app.test", state="planned", tls=TLS))
    shown = (await certificates(daemon))["app.crt"]
    assert shown["used_by"] == [
        {"environment_id": each["environment_id"], "slug": each["slug"]} for each in (one, two)
    ]
    assert shown["uncovered"] == ["y.x.app.test"]
    assert shown["names"] == shown["sans"] == ["*.app.test", "app.test"]
    assert (shown["cert_file"], shown["key_file"]) == ("app.crt", "app.key")
    assert (shown["status"], shown["problem"], shown["served_copy"]) == ("ok", None, False)
    assert (shown["key_matches"], shown["key_mode"]) == (True, "0640")
    assert shown["key_readable_by_others"] is False
    assert shown["days_left"] in (89, 90)
    assert shown["issuer"] == "CN=app.test"
    assert len(shown["fingerprint"]) == 64
    assert shown["loaded"] == {}


@pytest.mark.parametrize(
    ("days", "begins_days", "status"),
    [(90, -1, "ok"), (20, -1, "expiring"), (-1, -9, "expired"), (90, 1, "not_yet_valid")],
)
async def test_the_status_is_that_of_the_dates(
    daemon: Daemon, days: float, begins_days: float, status: str
) -> None:
    pair = made("app.test", days=days, begins_days=begins_days)
    put(daemon.folders.certificates, "app", pair)
    shown = (await certificates(daemon))["app.crt"]
    assert (shown["status"], shown["problem"]) == (status, None)
    assert (shown["used_by"], shown["key_readable_by_others"]) == ([], True)


async def test_a_pair_that_is_named_and_missing_is_unusable(daemon: Daemon) -> None:
    await create(daemon, "one", **routed("app.test", tls=TLS))
    shown = (await certificates(daemon))["app.crt"]
    assert (shown["status"], shown["problem"]) == ("unusable", "app.crt is not there")
    assert (shown["names"], shown["uncovered"], shown["days_left"]) == ([], [], None)


async def test_a_half_replaced_pair_says_that_its_last_good_copy_is_served(daemon: Daemon) -> None:
    put(daemon.folders.certificates, "app", made("app.test"))
    environment = await create(daemon, "one", **routed("app.test", tls=TLS))
    await until_routed(daemon, "app.test")
    put(daemon.folders.certificates, "app", made("app.test"), only="crt")
    await until_problem(daemon, "certificate_left_out", environment["environment_id"])
    shown = (await certificates(daemon))["app.crt"]
    assert (shown["status"], shown["served_copy"]) == ("unusable", True)
    assert shown["problem"] == "app.key is not the key of app.crt"


async def test_a_rotation_is_seen(daemon: Daemon) -> None:
    put(daemon.folders.certificates, "app", made("app.test", days=5))
    before = (await certificates(daemon))["app.crt"]
    put(daemon.folders.certificates, "app", made("app.test"))
    after = (await certificates(daemon))["app.crt"]
    assert (before["status"], after["status"]) == ("expiring", "ok")
    assert before["fingerprint"] != after["fingerprint"]


async def test_what_each_traefik_has_loaded_or_that_it_is_not_known(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon
) -> None:
    put(daemon.folders.certificates, "app", made("app.test"))
    mine = (await certificates(daemon))["app.crt"]["fingerprint"]
    seen = {"problem": None, "looked_at": NOW, "surveyed_at": NOW, "version": "3.7.15"}
    loaded = (CertificateFact(mine, ("app.test",), NOW, "enabled"),)
    other = (CertificateFact("0" * 64, ("app.test",), NOW, "enabled"),)
    known(
        monkeypatch,
        TraefikFacts("http://a", certificates=loaded, **seen),  # type: ignore[arg-type]
        TraefikFacts("http://b", certificates=other, **seen),  # type: ignore[arg-type]
        TraefikFacts("http://c", **seen),  # type: ignore[arg-type]
        TraefikFacts("http://d", certificates=loaded, **{**seen, "problem": "down"}),  # type: ignore[arg-type]
        TraefikFacts("http://e", **{**seen, "version": "3.6.2"}),  # type: ignore[arg-type]
        TraefikFacts("http://f", **{**seen, "surveyed_at": None}),  # type: ignore[arg-type]
    )
    assert (await certificates(daemon))["app.crt"]["loaded"] == {
        "http://a": True,
        "http://b": False,
        "http://c": False,
        "http://d": None,
        "http://e": None,
        "http://f": None,
    }


async def test_days_are_counted_at_the_moment_of_the_look(
    monkeypatch: pytest.MonkeyPatch, daemon: Daemon
) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    file = CertificateFile(
        "app.crt", "app.key", at, not_after=at + timedelta(days=7), fingerprint="0" * 64
    )
    look = "provider.observe.certificate_files.CertificateInventory.look"
    monkeypatch.setattr(look, lambda _inventory, _named: (file,))
    shown = (await certificates(daemon))["app.crt"]
    assert (shown["days_left"], shown["status"]) == (7, "expiring")


async def test_before_the_first_reading_of_the_catalogue_it_is_not_ready(
    start_daemon: StartDaemon, folders: Folders
) -> None:
    folders.catalogue.write_text("{")
    daemon = await start_daemon()
    refused(await daemon.call("GET", "/api/certificates"), 503, "not_ready")


async def test_nothing_of_a_key_is_shown(daemon: Daemon) -> None:
    pair = made("app.test")
    put(daemon.folders.certificates, "app", pair)
    text = json.dumps(await certificates(daemon))
    for line in pair[1].decode().splitlines()[1:-1]:
        assert line not in text


async def test_a_removed_certificate_goes(daemon: Daemon) -> None:
    put(daemon.folders.certificates, "app", made("app.test"))
    assert await certificates(daemon)
    for file in daemon.folders.certificates.glob("app.*"):
        file.unlink()

    async def gone() -> None:
        assert await certificates(daemon) == {}

    await eventually(gone)


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
async def test_a_rotation_brings_nothing_into_force_that_was_refused_or_rehearsed(
    daemon: Daemon, query: str
) -> None:
    put(daemon.folders.certificates, "app", made("app.test"))
    await create(daemon, "holder", **routed("taken.test"))
    await create(daemon, "app", **routed("app.test", tls=TLS))
    before = await until_routed(daemon, "app.test")
    hosts = ["free.test"] if query else ["free.test", "taken.test"]
    change = {"metadata": {"router": {"hostnames": hosts}}}
    answer = await daemon.call("PATCH", f"/api/environments/app{query}", json=change)
    assert answer.status == (200 if query else 409)
    put(daemon.folders.certificates, "app", made("app.test"))

    async def rotated() -> None:
        assert (await document(daemon))["tls"] != before["tls"]

    await eventually(rotated)
    assert (await document(daemon))["http"]["routers"] == before["http"]["routers"]
