"""What was seen of the plumbing outside: values without a judgement. Pure.

What was not looked at is not there at all: a mapping that lacks a name says nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

DnsOutcome = Literal["found", "absent", "failed"]


@dataclass(frozen=True, slots=True)
class DnsFact:
    """What the resolver says of one host name; a wildcard is asked for with a made-up label.

    `absent` is an answer: the name, or an address of it, does not exist. `failed` is none: a
    time-out, a refusal, a server without an answer; `detail` says which. `aliases` are the names
    that CNAME records lead through, in order; `addresses` are sorted texts of both families.
    """

    name: str
    outcome: DnsOutcome
    looked_at: datetime
    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    detail: str | None = None

    def says_as(self, other: DnsFact) -> bool:
        """Whether both say the same, whenever they were asked for."""
        mine = self.name, self.outcome, self.addresses, self.aliases, self.detail
        return mine == (other.name, other.outcome, other.addresses, other.aliases, other.detail)


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A certificate in `data/router/certs` and the key that belongs to it, by their file names.

    `problem` says why it cannot be served; then what follows is what could be read. `key_file` is
    None where no key is known. `fingerprint` is the SHA-256 of the leaf's DER in hex, as Traefik
    shows it. `key_mode` are the permission bits of the key file. `names` are the lower-case SANs
    and the CN, sorted.
    """

    cert_file: str
    key_file: str | None
    looked_at: datetime
    problem: str | None = None
    names: tuple[str, ...] = ()
    issuer: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    fingerprint: str | None = None
    key_matches: bool | None = None
    key_mode: int | None = None


@dataclass(frozen=True, slots=True)
class ProbeFact:
    """What `health.url` answered to one probe. `status` is that of HTTP; None without an answer.

    `is_good` is None where we did not ask, since the address is one that is never asked: `detail`
    says which. It also says why an answer is bad.
    """

    environment_id: str
    url: str
    looked_at: datetime
    is_good: bool | None
    status: int | None = None
    detail: str | None = None
