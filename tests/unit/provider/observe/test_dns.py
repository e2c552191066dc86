"""What the resolver says of names: against a real name server on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from dns.resolver import NoResolverConfiguration

from provider.observe import dns as observing
from provider.observe.dns import AT_ONCE, DnsObserver
from provider.observe.plumbing import DnsFact
from tests.daemons import eventually
from tests.name_server import NameServer, Odd, Records, name_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def observer(server: NameServer, **bounds: Any) -> DnsObserver:
    """An observer of this server, at a fixed time."""
    return DnsObserver(server.address, lambda: NOW, **bounds)


async def looked(zone: dict[str, Records], name: str, **bounds: float) -> DnsFact:
    """What is seen of one name."""
    async with name_server(zone) as server:
        facts = await observer(server, **bounds).look([name])
    assert list(facts) == [name]
    return facts[name]


async def test_the_addresses_of_both_families_are_found_and_sorted() -> None:
    fact = await looked({"a.test": ["192.0.2.2", "2001:db8::1", "192.0.2.1"]}, "a.test")
    found = ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    assert fact == DnsFact("a.test", "found", NOW, found)


async def test_one_family_is_enough() -> None:
    fact = await looked({"six.test": ["2001:db8::1"]}, "six.test")
    assert (fact.outcome, fact.addresses) == ("found", ("2001:db8::1",))


async def test_aliases_are_followed_and_named_in_order() -> None:
    zone: dict[str, Records] = {"a.test": "b.test", "b.test": "c.test", "c.test": ["192.0.2.1"]}
    fact = await looked(zone, "a.test")
    assert fact == DnsFact("a.test", "found", NOW, ("192.0.2.1",), ("b.test", "c.test"))


@pytest.mark.parametrize(
    ("zone", "aliases"),
    [
        ({}, ()),
        ({"a.test": []}, ()),
        ({"a.test": "gone.test"}, ("gone.test",)),
        ({"a.test": "b.test", "b.test": []}, ("b.test",)),
    ],
    ids=["no such name", "no address", "an alias of no name", "an alias without an address"],
)
async def test_an_answer_without_an_address_says_absent(
    zone: dict[str, Records], aliases: tuple[str, ...]
) -> None:
    assert await looked(zone, "a.test") == DnsFact("a.test", "absent", NOW, aliases=aliases)


@pytest.mark.parametrize(
    ("odd", "detail"),
    [
        (Odd.DROP, "no answer within 0.2 seconds"),
        (Odd.GARBAGE, "no answer within 0.2 seconds"),
        (Odd.REFUSE, "REFUSED"),
        (Odd.SERVFAIL, "SERVFAIL"),
    ],
)
async def test_no_answer_is_a_failure_that_says_why_and_is_not_absence(
    odd: Odd, detail: str
) -> None:
    fact = await looked({"a.test": odd}, "a.test", name_s=0.2)
    assert fact == DnsFact("a.test", "failed", NOW, detail=detail)


async def test_what_cannot_be_read_is_a_failure() -> None:
    fact = await looked({"a.test": Odd.TRUNCATED_GARBAGE}, "a.test")
    assert fact.outcome == "failed"
    assert "an answer that cannot be read" in str(fact.detail)


async def test_a_circle_of_aliases_is_a_failure() -> None:
    fact = await looked({"a.test": "b.test", "b.test": "a.test"}, "a.test")
    assert (fact.outcome, fact.addresses) == ("failed", ())


async def test_an_answer_too_long_for_udp_comes_over_tcp() -> None:
    fact = await looked({"a.test": Odd.TRUNCATED}, "a.test")
    assert (fact.outcome, fact.addresses) == ("found", ("192.0.2.53",))


async def test_half_an_answer_with_an_address_is_found_and_says_what_failed() -> None:
    async with name_server({"a.test": ["192.0.2.1"]}) as server:
        server.odd["a.test AAAA"] = Odd.SERVFAIL
        fact = (await observer(server).look(["a.test"]))["a.test"]
    assert fact == DnsFact("a.test", "found", NOW, ("192.0.2.1",), detail="SERVFAIL")


async def test_half_an_answer_without_an_address_is_not_absence() -> None:
    async with name_server({"a.test": []}) as server:
        server.odd["a.test AAAA"] = Odd.SERVFAIL
        fact = (await observer(server).look(["a.test"]))["a.test"]
    assert (fact.outcome, fact.detail) == ("failed", "SERVFAIL")


async def test_a_name_that_fails_takes_no_other_down() -> None:
    zone: dict[str, Records] = {"a.test": ["192.0.2.1"], "b.test": Odd.DROP, "c.test": Odd.REFUSE}
    async with name_server(zone) as server:
        facts = await observer(server, name_s=0.2).look(["a.test", "b.test", "c.test", "d.test"])
    outcomes = {name: fact.outcome for name, fact in facts.items()}
    assert outcomes == {
        "a.test": "found", "b.test": "failed", "c.test": "failed", "d.test": "absent"
    }  # fmt: skip


async def test_a_wildcard_is_asked_for_with_a_made_up_label() -> None:
    async with name_server({"*.x.test": ["192.0.2.1"], "x.test": []}) as server:
        facts = await observer(server).look(["*.x.test"])
        assert facts["*.x.test"].addresses == ("192.0.2.1",)
        assert set(server.queries) == {"routebook-check.x.test A", "routebook-check.x.test AAAA"}


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("2001:db8::1", ("2001:db8::1",)),
        ("localhost", ("127.0.0.1", "::1")),
        ("app.localhost", ("127.0.0.1", "::1")),
        ("*.app.localhost", ("127.0.0.1", "::1")),
    ],
)
async def test_addresses_and_localhost_need_no_query(name: str, addresses: tuple[str, ...]) -> None:
    async with name_server({}) as server:
        facts = await observer(server).look([name])
        assert facts == {name: DnsFact(name, "found", NOW, addresses)}
        assert server.queries == []


async def test_a_name_is_absolute_and_asked_once_a_look_and_anew_in_the_next() -> None:
    async with name_server({"app": ["192.0.2.1"]}) as server:
        seen = observer(server)
        await seen.look(["app", "app"])
        assert sorted(server.queries) == ["app A", "app AAAA"]
        server.zone["app"] = ["192.0.2.2"]
        assert (await seen.look(["app"]))["app"].addresses == ("192.0.2.2",)


async def test_no_more_than_twenty_names_are_asked_for_at_once() -> None:
    names = [f"n{number:03}.test" for number in range(3 * AT_ONCE)]
    async with name_server({name: ["192.0.2.1"] for name in names}) as server:
        server.held.clear()
        look = asyncio.create_task(observer(server).look(names))

        def full() -> None:
            assert server.open_now == 2 * AT_ONCE

        await eventually(full)
        server.held.set()
        assert len(await look) == len(names)
        assert server.open_at_once == 2 * AT_ONCE  # two types of record each


async def test_the_names_beyond_the_bound_have_their_turn_in_the_next_looks() -> None:
    names = [f"n{number}.test" for number in range(5)]
    async with name_server({name: ["192.0.2.1"] for name in names}) as server:
        seen = observer(server, names_max=2)
        looks = [sorted(await seen.look(reversed(names))) for _ in range(3)]
        assert len(server.queries) == 3 * 2 * 2
    assert looks == [["n0.test", "n1.test"], ["n2.test", "n3.test"], ["n0.test", "n4.test"]]


async def test_what_there_was_no_time_for_is_left_out_and_comes_first_in_the_next_look() -> None:
    names = [f"n{number:02}.test" for number in range(2 * AT_ONCE)]
    async with name_server(dict.fromkeys(names, Odd.DROP)) as server:
        seen = observer(server, name_s=0.1, look_s=0.05)
        first, second = [sorted(await seen.look(names)) for _ in range(2)]
    assert 0 < len(first) <= AT_ONCE
    assert [*first, *second] == names[: len(first) + len(second)]
    assert second


async def test_a_server_that_answers_nothing_is_not_asked_for_every_name() -> None:
    names = [f"n{number:03}.test" for number in range(10 * AT_ONCE)]
    async with name_server(dict.fromkeys(names, Odd.DROP)) as server:
        found = await observer(server, name_s=0.05).look(names)
    assert {each.outcome for each in found.values()} == {"failed"}
    assert len(found) <= 3 * AT_ONCE


async def test_nobody_at_the_address_is_a_failure() -> None:
    async with name_server({}) as server:
        seen = observer(server, name_s=0.2)
    assert (await seen.look(["a.test"]))["a.test"].outcome == "failed"


async def test_a_server_on_ipv6() -> None:
    async with name_server({"a.test": ["192.0.2.1"]}, "::1") as server:
        assert (await observer(server).look(["a.test"]))["a.test"].outcome == "found"


async def test_without_a_resolver_every_name_fails_and_addresses_are_still_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unconfigured(_server: object) -> None:
        raise NoResolverConfiguration("cannot open /etc/resolv.conf")

    monkeypatch.setattr(observing, "_resolver", unconfigured)
    facts = await DnsObserver(None, lambda: NOW).look(["a.test", "192.0.2.1"])
    assert facts["a.test"] == DnsFact("a.test", "failed", NOW, detail="no resolver is configured")
    assert facts["192.0.2.1"].outcome == "found"
