"""Which addresses a probe contacts."""

from __future__ import annotations

import pytest

from provider.observe.reach import refusal

OURS = {("127.0.0.1", 8700): "Routebook itself", ("localhost", 8700): "Routebook itself"}


def refused(address: str, port: int = 80, *, public_only: bool = False) -> str | None:
    return refusal("a.test", address, port, OURS, public_only=public_only)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "2002:a9fe:a9fe::",
        "2002:a9fe:a9fe::1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "64:ff9b:1:a9fe:a9:fe00::",
        "64:ff9b:1:0:a9:fea9:fe00:0",
        "2001:db8::5efe:a9fe:a9fe",
        "fd00::200:5efe:169.254.169.254",
        "2001:0:4136:e378:8000:63bf:5601:5601",
        "0.0.0.0",
        "0.0.0.7",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_these_are_never_asked(address: str) -> None:
    assert "never asked" in (refused(address) or "")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.0.0.7", "192.168.1.7", "fd12::7", "192.0.2.7", "1.1.1.1", "2606::1"],
)
def test_loopback_private_and_public_ones_may_be_asked(address: str) -> None:
    assert refused(address) is None


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.7", "100.64.0.1", "fd12::7", "::ffff:10.0.0.7",
                "64:ff9b::10.0.0.7", "2002:a00:7::1"]
)  # fmt: skip
def test_a_setting_leaves_the_public_ones_alone(address: str) -> None:
    assert "not a public address" in (refused(address, public_only=True) or "")
    assert refused("1.1.1.1", public_only=True) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_our_own_listener_is_never_asked_by_any_name(address: str) -> None:
    assert "Routebook itself" in (refused(address, 8700) or "")
    assert refused(address, 8701) is None
