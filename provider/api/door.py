"""The door: who is calling, and whether they may. Behind it a request has its identity."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from aiohttp import web

from provider.auth.access import LOCAL, Access, Identity, may
from provider.auth.book import AccountBook
from provider.auth.open_mode import refusal
from registry.errors import Forbidden, HostNotAllowed, StoreUnavailable, Unauthenticated
from registry.revisions import Author

IDENTITY = web.RequestKey("identity", object)


@dataclass(frozen=True, slots=True)
class Admitted:
    """How a request came in. `presented` is its token; None for a local caller of open mode."""

    presented: str | None = field(repr=False)
    access: Access

    @classmethod
    def of(cls, request: web.Request) -> Admitted | None:
        """That of a request which was admitted."""
        admitted = request.get(_ADMITTED)
        return admitted if isinstance(admitted, cls) else None


_ADMITTED = web.RequestKey("admitted", object)
_NO_TOKEN = "send a token: Authorization: Bearer <token>"
_UNKNOWN = "the token that was sent is not known, or not any more"


@dataclass(frozen=True)
class Door:
    """`loopback` says that only this machine reaches us: without it there is no open mode."""

    book: AccountBook
    allowed_hosts: frozenset[str]
    loopback: bool

    def is_open(self) -> bool:
        """Whether every local caller may do everything, since there are no accounts."""
        return self.loopback and self.book.is_unused()

    def refuse_strangers(self, request: web.Request) -> None:
        """Open mode's checks, on whatever path. Raises HostNotAllowed."""
        reason = refusal(request.headers, self.allowed_hosts) if self.is_open() else None
        if reason is not None:
            raise HostNotAllowed(reason)

    def admit(self, request: web.Request, access: Access) -> None:
        """Put the caller's identity on the request.

        Raises Unauthenticated and Forbidden.
        """
        try:
            identity = self._identity(request)
        except StoreUnavailable:
            if access is not Access.OPEN:
                raise
            identity = None  # accounts that cannot be read keep nobody from asking how we are
        if not may(identity, access):
            if identity is None:
                raise Unauthenticated(_UNKNOWN if presented_token(request) else _NO_TOKEN)
            raise Forbidden(f"{identity.role.value} may not; it takes {access.value}")
        request[IDENTITY] = identity
        presented = None if identity is LOCAL else presented_token(request)
        request[_ADMITTED] = Admitted(presented, access)

    def admits_again(self, admitted: Admitted) -> bool:
        """Whether a request with the very same headers may come in now, as it did before."""
        if self.is_open():
            return admitted.presented is None
        if admitted.presented is None:
            return False
        try:
            return may(self.book.identify(admitted.presented), admitted.access)
        except StoreUnavailable:
            return False

    def admit_again(self, request: web.Request) -> None:
        """Raises Unauthenticated where a right was taken away since `admit`, as a body came."""
        admitted = Admitted.of(request)
        if admitted is None or admitted.access is Access.OPEN or self.admits_again(admitted):
            return
        raise Unauthenticated("the right to do this was taken away while the request came")

    def _identity(self, request: web.Request) -> Identity | None:
        if self.is_open():
            return LOCAL
        presented = presented_token(request)
        identity = self.book.identify(presented) if presented else None
        if identity is None:
            self.book.check()  # it may be us who cannot tell, and that is another answer
        return identity


def presented_token(request: web.Request) -> str | None:
    """The token of `Authorization`: Bearer, or the password of Basic (a URL's user:password)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except ValueError:
            return None
        return pair.partition(":")[2] or None
    return None


def caller(request: web.Request) -> Identity | None:
    """Who is calling; None for a stranger on an open route."""
    identity = request.get(IDENTITY)
    return identity if isinstance(identity, Identity) else None


def author(request: web.Request) -> Author:
    """The caller, as the history names them."""
    identity = caller(request)
    return Author(identity.actor if identity else "unknown", "api")
