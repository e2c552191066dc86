"""`/api/auth`: login, logout, who am I."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provider.api.door import caller, presented_token
from provider.api.requests import json_body
from provider.api.surface import SURFACE, Surface
from provider.auth.book import Account
from registry.errors import InvalidRecord, SlowDown, Unauthenticated
from registry.fields import instant_text
from registry.schema import field_errors

LOGIN_LASTS = timedelta(hours=12)


class Login(BaseModel):
    """What a login sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str = Field(max_length=254)
    password: str = Field(max_length=1000)


async def login(request: web.Request) -> web.Response:
    """A token for an account, for twelve hours."""
    surface = request.app[SURFACE]
    try:
        given = Login.model_validate(await json_body(request))
    except ValidationError as error:
        raise InvalidRecord("a login is an e-mail and a password", field_errors(error)) from None
    address = request.remote or "unknown"
    wait_s = surface.throttle.wait_s(address, given.email)
    if wait_s > 0:
        raise SlowDown("too many failed logins; wait", retry_after_s=round(wait_s, 1))
    surface.throttle.failed(address, given.email)  # until it is known: many may try at once
    account = _account(surface, given.email)
    if not await surface.passwords.verify(account.password if account else None, given.password):
        raise Unauthenticated("no such e-mail and password")
    surface.throttle.succeeded(address, given.email)
    assert account is not None
    # In a thread: a command that has the files locked would keep the loop from those who poll.
    secret, token = await asyncio.to_thread(
        surface.door.book.create_token, account.role, "login", LOGIN_LASTS, email=account.email
    )
    expires_at = instant_text(token.expires_at) if token.expires_at else None
    return web.json_response({"token": secret, "expires_at": expires_at})


async def logout(request: web.Request) -> web.Response:
    """Take the presented login away; a token made by the CLI stays until it is revoked."""
    book = request.app[SURFACE].door.book
    token = book.token_of(presented_token(request) or "")
    if token is not None and token.email is not None:
        await asyncio.to_thread(book.revoke, token.id)
    return web.Response(status=204)


async def me(request: web.Request) -> web.Response:
    """Who is calling, and in which role."""
    identity = caller(request)
    assert identity is not None
    return web.json_response(
        {
            "actor": identity.actor,
            "role": identity.role.value,
            "open": request.app[SURFACE].door.is_open(),
        }
    )


def _account(surface: Surface, email: str) -> Account | None:
    for account in surface.door.book.accounts():
        if account.email == email and not account.disabled:
            return account
    return None
