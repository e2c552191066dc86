"""Accounts and tokens in two files of the data folder, mode 0600, read again when they change.

Passwords are kept as argon2 hashes, tokens as SHA-256 of 256 random bits: nothing that is kept
lets anybody in.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import math
import os
import secrets
import time
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import structlog
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provider.auth.access import Identity, Role
from provider.auth.passwords import hash_password
from registry.engines.durable import as_registry_errors, write_durably
from registry.engines.watching import file_signature
from registry.errors import StoreUnavailable
from registry.fields import Instant
from registry.names import json_pointer

_LOOK_HOLDS_S = 0.001
_log = structlog.get_logger()
_LOCK_S = 10.0
RoleName = Literal["viewer", "operator", "traefik"]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Account(BaseModel):
    """A person. `password` is an argon2 hash."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: Email
    role: RoleName
    password: str
    disabled: bool = False
    created_at: Instant


class Token(BaseModel):
    """A key for a program, or of a login (then `email` says whose)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    role: RoleName
    sha256: str
    email: str | None = None
    created_at: Instant
    expires_at: Instant | None = None


class Accounts(BaseModel):
    """`accounts.json`."""

    version: Literal[1] = 1
    accounts: list[Account] = Field(default_factory=list)


class Tokens(BaseModel):
    """`tokens.json`."""

    version: Literal[1] = 1
    tokens: list[Token] = Field(default_factory=list)


_File = TypeVar("_File", Accounts, Tokens)


class AccountBook:
    """The accounts and tokens of one data folder. Methods raise StoreUnavailable and DiskFull.

    `token_files` are compose secrets: each holds one token, for the role it is given here.
    """

    def __init__(
        self,
        data: Path,
        clock: Callable[[], datetime],
        token_files: dict[Role, Path] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data, self._clock, self._token_files = data, clock, token_files or {}
        self._clock_s = clock_s
        self._used, self._looked_s = False, -math.inf
        # As texts: they are looked at with each request, and a path takes longer than the look.
        self._files = tuple(str(data / name) for name in ("accounts.json", "tokens.json"))
        self._read: dict[Path, tuple[Hashable, BaseModel]] = {}
        self._secrets: dict[Path, tuple[Hashable, str]] = {}

    def accounts(self) -> list[Account]:
        """All accounts, the disabled ones too."""
        return self._load("accounts.json", Accounts).accounts

    def tokens(self) -> list[Token]:
        """All tokens, the expired ones too."""
        return self._load("tokens.json", Tokens).tokens

    def is_unused(self) -> bool:
        """Whether there never was an account, a token or a token file: open mode.

        A last token that is revoked leaves its file behind, and the door closed; once it was
        closed, it stays so while we run. A look holds for a millisecond, which `_save` waits for.
        """
        if self._used:
            return False
        now_s = self._clock_s()
        if self._looked_s + _LOOK_HOLDS_S < now_s:
            self._used = bool(self._token_files) or any(map(_may_be_there, self._files))
            if self._used and self._looked_s > -math.inf:
                _log.warning("open_mode_ended", note="Traefik, too, has to say who it is now")
            self._looked_s = now_s
        return not self._used

    def check(self) -> None:
        """Raises StoreUnavailable when either file cannot be read."""
        self.accounts()
        self.tokens()

    def identify(self, presented: str) -> Identity | None:
        """Whose token this is; None when it is nobody's, expired, or its account is disabled."""
        digest = _digest(presented)
        for role, path in self._token_files.items():
            if hmac.compare_digest(self._secret_digest(path), digest):
                return Identity(f"token:{role.value}-file", role)
        for token in self.tokens():
            if hmac.compare_digest(token.sha256, digest):
                return self._holder(token)
        return None

    def add_account(self, email: str, role: RoleName, password: str) -> None:
        """A new account. Raises ValueError when there is one, or the address is none."""
        with self._locked():
            accounts = self.accounts()
            if any(account.email == email for account in accounts):
                raise ValueError(f"there is an account {email}; see `accounts passwd`")
            account = Account(
                email=email,
                role=role,
                password=hash_password(password),
                created_at=self._clock(),
            )
            self._save("accounts.json", Accounts(accounts=[*accounts, account]))

    def change_account(self, email: str, **changes: object) -> None:
        """Disable, or a new password hash; takes away its logins. Raises KeyError if unknown."""
        with self._locked():
            accounts = self.accounts()
            if all(account.email != email for account in accounts):
                raise KeyError(email)
            changed = [a.model_copy(update=changes) if a.email == email else a for a in accounts]
            self._save("accounts.json", Accounts(accounts=changed))
            kept = [token for token in self.tokens() if token.email != email]
            self._save("tokens.json", Tokens(tokens=kept))

    def create_token(
        self,
        role: RoleName,
        name: str,
        lifetime: timedelta | None = None,
        email: str | None = None,
    ) -> tuple[str, Token]:
        """A new token, and what is kept of it. The token itself is shown this once."""
        secret, now = f"rb_{secrets.token_urlsafe(32)}", self._clock()
        token = Token(
            id=secrets.token_hex(4),
            name=name,
            role=role,
            sha256=hashlib.sha256(secret.encode()).hexdigest(),
            email=email,
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
        with self._locked():
            alive = [t for t in self.tokens() if t.email is None or not self._is_expired(t)]
            self._save("tokens.json", Tokens(tokens=[*alive, token]))
        return secret, token

    def revoke(self, token_id: str) -> None:
        """Take a token away. Raises KeyError when there is none by this id."""
        with self._locked():
            tokens = self.tokens()
            if all(token.id != token_id for token in tokens):
                raise KeyError(token_id)
            kept = [token for token in tokens if token.id != token_id]
            self._save("tokens.json", Tokens(tokens=kept))

    def token_of(self, presented: str) -> Token | None:
        """The kept token of what is presented, if it is of `tokens.json`."""
        digest = _digest(presented)
        found = (t for t in self.tokens() if hmac.compare_digest(t.sha256, digest))
        return next(found, None)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self._data / ".accounts.lock", thread_local=False)
        with as_registry_errors("the accounts"):
            lock.acquire(timeout=_LOCK_S)
        try:
            yield
        finally:
            lock.release()

    def _holder(self, token: Token) -> Identity | None:
        if self._is_expired(token):
            return None
        if token.email is None:
            return Identity(f"token:{token.name}", Role(token.role))
        for account in self.accounts():
            if account.email == token.email and not account.disabled:
                return Identity(account.email, Role(account.role))
        return None

    def _is_expired(self, token: Token) -> bool:
        return token.expires_at is not None and token.expires_at <= self._clock()

    def _secret_digest(self, path: Path) -> str:
        """The digest of a token file's token; of an empty or missing one nothing matches."""
        signature = file_signature(path)
        known = self._secrets.get(path)
        if known is None or known[0] != signature:
            try:
                secret = path.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError):
                secret = ""
            digest = hashlib.sha256(secret.encode()).hexdigest() if secret else ""
            known = self._secrets[path] = (signature, digest)
        return known[1]

    def _load(self, name: str, model: type[_File]) -> _File:
        path = self._data / name
        signature = file_signature(path)
        known = self._read.get(path)
        if known is None or known[0] != signature:
            known = self._read[path] = (signature, _parse(path, model))
        content = known[1]
        assert isinstance(content, model)
        return content

    def _save(self, name: str, content: BaseModel) -> None:
        text = json.dumps(content.model_dump(mode="json"), indent=2, ensure_ascii=False)
        # With a group given, the mode is set on an existing file too.
        content_bytes = f"{text}\n".encode()
        is_first = not _may_be_there(str(self._data / name))
        write_durably(self._data / name, content_bytes, mode=0o600, group=os.getegid())
        if is_first:  # whoever is told that it is written meets no open door any more
            time.sleep(_LOOK_HOLDS_S)


def _may_be_there(file: str) -> bool:
    try:
        os.lstat(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it cannot be looked at: an error opens no door
    return True


def _digest(presented: str) -> str:
    # A header may hold any byte; aiohttp carries those that are no UTF-8 as lone surrogates.
    return hashlib.sha256(presented.encode(errors="surrogateescape")).hexdigest()


def _parse(path: Path, model: type[_File]) -> _File:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return model()
    except (OSError, ValidationError) as error:
        # Closed, not open: a file that cannot be read must not let everybody in. No content in
        # the words: it holds hashes.
        raise StoreUnavailable(
            f"{path.name} cannot be read ({_reason(error)}); restore it from a backup"
        ) from None


def _reason(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    pointer = json_pointer(first["loc"])
    return f"{pointer}: {first['msg']}" if pointer else first["msg"]
