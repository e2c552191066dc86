"""How to trust a CA on each system, as commands for a person to run. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

FILE = "routebook-dev-ca.crt"
_NAME = "routebook-dev-ca"


def ways_to_trust(file: str) -> Iterator[tuple[str, list[str]]]:
    """Each system's title, and its commands with this file."""
    quoted = shlex.quote(file)
    yield (
        "Debian, Ubuntu",
        [
            f"sudo install -m 0644 {quoted} /usr/local/share/ca-certificates/{FILE}",
            "sudo update-ca-certificates",
        ],
    )
    yield (
        "Fedora, RHEL",
        [
            f"sudo install -m 0644 {quoted} /etc/pki/ca-trust/source/anchors/{FILE}",
            "sudo update-ca-trust",
        ],
    )
    keychain = "-k /Library/Keychains/System.keychain"
    yield (
        "macOS",
        [f"sudo security add-trusted-cert -d -r trustRoot -p ssl {keychain} {quoted}"],
    )
    windows = '"' + file.replace('"', "") + '"'
    yield "Windows, as administrator", [f"certutil -addstore -f Root {windows}"]
    imported = f"certutil -A -n {_NAME} -t C,, -i {quoted}"
    yield (
        "Firefox (and in its settings: Privacy & Security, View Certificates, Authorities, Import)",
        [f'{imported} -d sql:"$HOME/.mozilla/firefox/PROFILE"'],
    )
    yield "Chrome on Linux", [f'{imported} -d sql:"$HOME/.pki/nssdb"']
    yield "curl", [f"curl --cacert {quoted} https://HOST/"]
    yield "Python requests", [f"REQUESTS_CA_BUNDLE={quoted} python PROGRAM"]
    yield "Node", [f"NODE_EXTRA_CA_CERTS={quoted} node PROGRAM"]
