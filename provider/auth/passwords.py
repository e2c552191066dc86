"""Passwords: argon2id hashes, a few at a time, off the event loop."""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

LENGTH_MIN, LENGTH_MAX = 12, 1000
_hasher = PasswordHasher()


@cache
def _nobody() -> str:
    """Verified when there is no such account, so that the answer takes as long."""
    return hash_password("nobody has this password")


class PasswordCheck:
    """Verifies at most two at once: each takes 64 MiB and a tenth of a second."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(2)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one of this hash; None is nobody's, and takes as long."""
        async with self._places:
            return await asyncio.to_thread(_verify, password_hash, password)


def hash_password(password: str) -> str:
    """The argon2id hash. Raises ValueError for a password that is too short or too long."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise ValueError(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
    hashed: str = _hasher.hash(password)
    return hashed


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        matches = _hasher.verify(password_hash or _nobody(), password[:LENGTH_MAX])
    except (Argon2Error, InvalidHashError):
        return False
    return matches and password_hash is not None
