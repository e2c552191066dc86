"""Names: of environments, workspaces and hosts, and JSON pointers."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable

import idna

ENVIRONMENT_ID = r"^[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?$"
SLUG = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
PROJECT_ID = r"^[a-z0-9][a-z0-9._-]{0,63}$"

# RFC 1035 lengths; `_` is allowed because people have such hosts and Traefik routes them.
_LABEL = re.compile(r"^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_HOST_LENGTH_MAX = 253
_PLAIN_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
# What is canonical already. The first look ahead: not all digits, which might be an address.
PLAIN_HOST = (
    r"(?=[0-9.]*[a-z_-])(?=[a-z0-9_.-]{1,253}(?![a-z0-9_.-]))"
    rf"{_PLAIN_LABEL}(?:\.{_PLAIN_LABEL})*"
)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
PLAIN_ADDRESS = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
PLAIN_NAME = re.compile(rf"(?:{PLAIN_HOST}|{PLAIN_ADDRESS})\Z")


def fresh_environment_id(slug: str) -> str:
    """`env-<slug>-<6 hex>`, the hex at random."""
    return f"env-{_usable(slug)}-{secrets.token_hex(3)}"


def derived_environment_id(project_id: str, slug: str) -> str:
    """`env-<slug>-<6 hex>`, the hex a hash of both: the same for the same hand-made record."""
    return f"env-{_usable(slug)}-{hashlib.sha256(_bytes(project_id, slug)).hexdigest()[:6]}"


def _bytes(project_id: str, slug: str) -> bytes:
    return f"{project_id}/{slug}".encode(errors="surrogatepass")


def _usable(slug: str) -> str:
    """The slug; of a wrong one something that is right, so that only the slug is at fault."""
    return slug if re.fullmatch(SLUG, slug) and "\n" not in slug else "unnamed"


def canonical_host(text: str) -> str:
    """The one spelling of a host name, as rules and claims carry it.

    Lower-case ASCII (IDNA, UTS 46), one trailing dot dropped, IP literals as `ipaddress` writes
    them. Raises ValueError, in words for the operator, for what no certificate or rule could name.
    """
    if PLAIN_NAME.match(text):
        return text
    address = _address(text)
    if address is not None:
        return address
    host = _ascii(text.removesuffix(".").lower())
    if len(host) > _HOST_LENGTH_MAX:
        raise ValueError(f"too long: at most {_HOST_LENGTH_MAX} characters")
    for label in host.split("."):
        if not _LABEL.match(label):
            raise ValueError(
                f"{label!r} is not a host name label: letters, digits, '-' and '_' only, "
                "1 to 63 of them, no '-' at either end; no port, path or scheme"
            )
    return host


def canonical_pattern(text: str) -> str:
    """As `canonical_host`, but a leading `*.` stands for exactly one label.

    Raises ValueError; `*` alone is refused, since it would catch the hosts of every environment.
    """
    if PLAIN_NAME.match(text):
        return text
    if text.removesuffix(".") == "*":
        raise ValueError("'*' alone would catch every host; write '*.example.test'")
    if not text.startswith("*."):
        return canonical_host(text)
    rest = canonical_host(text[2:])
    if _address(rest) is not None:
        raise ValueError("no wildcard before an address; before a name")
    return f"*.{rest}"


def covers(pattern: str, host: str) -> bool:
    """Whether a canonical pattern matches a canonical host; a wildcard stands for one label."""
    if not pattern.startswith("*."):
        return pattern == host
    label, dot, rest = host.partition(".")
    return bool(label and dot) and rest == pattern[2:]


def is_address(host: str) -> bool:
    """Whether a canonical host is an IP address."""
    return _address(host) is not None


def json_pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def pointer_path(pointer: str) -> list[str]:
    """The keys and indexes, as text, that a JSON pointer (RFC 6901) goes through."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _address(text: str) -> str | None:
    if "%" in text:  # a zone is of one machine, and may be any text
        return None
    if ":" not in text and not text.replace(".", "").isdigit():
        return None  # quickly: most hosts are names
    bracketed = text.startswith("[") and text.endswith("]") and ":" in text
    try:
        return str(ipaddress.ip_address(text[1:-1] if bracketed else text))
    except ValueError:
        return None


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        mapped = idna.uts46_remap(host, std3_rules=False)
        return ".".join(
            label if label.isascii() else idna.encode(label).decode() for label in mapped.split(".")
        )
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"{host!r} is not an internationalised host name: {error}") from error
