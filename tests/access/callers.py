"""Everybody who may call: the accounts and tokens of a data folder, and what each one sends."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher

from provider.auth.book import Account, AccountBook, Accounts
from registry.store import utc_now

PASSWORD = "correct horse battery"
DAY = timedelta(days=1)


@cache
def quick_hash(password: str = PASSWORD) -> str:
    """A hash that costs next to nothing: the verifier takes its cost from the hash."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


def book_of(data: Path) -> AccountBook:
    """The book of a folder, as a command in another process has it."""
    return AccountBook(data, utc_now)


def write_accounts(data: Path, *emails: str, disabled: bool = False) -> None:
    """Accounts without the cost of hashing; the part before the @ is the role."""
    known = book_of(data).accounts()
    added = [
        Account.model_validate(
            {
                "email": email,
                "role": email.partition("@")[0],
                "password": quick_hash(),
                "disabled": disabled,
                "created_at": "2026-01-01T00:00:00Z",
            }
        )
        for email in emails
    ]
    content = Accounts(accounts=[*known, *added]).model_dump(mode="json")
    path = data / "accounts.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)


def bearer(secret: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str, user: str = "traefik") -> dict[str, str]:
    """The header that `http://user:secret@host` leads to."""
    pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def everybody(data: Path) -> dict[str, dict[str, str]]:
    """The headers of each kind of caller, by name; makes their accounts and tokens."""
    write_accounts(data, "viewer@x.test", "operator@x.test")
    write_accounts(data, "operator@gone.test", disabled=True)
    book = book_of(data)
    secrets = {role: book.create_token(role, role)[0] for role in ("viewer", "operator", "traefik")}
    for role in ("viewer", "operator"):
        login = book.create_token(role, "login", DAY, email=f"{role}@x.test")
        secrets[f"{role} login"] = login[0]
    secrets["disabled"] = book.create_token("operator", "login", DAY, email="operator@gone.test")[0]
    yesterday = AccountBook(data, lambda: utc_now() - 2 * DAY)
    secrets["expired"] = yesterday.create_token("operator", "old", DAY)[0]
    secrets["revoked"], revoked = book.create_token("operator", "lost")
    book.revoke(revoked.id)
    secrets["garbage"] = "rb_" + "A" * 43
    return {"stranger": {}, **{name: bearer(secret) for name, secret in secrets.items()}}
