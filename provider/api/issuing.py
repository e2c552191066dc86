"""`POST /api/certificates` and `/api/certificates/ca`: certificates for development."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provider.api.door import author
from provider.api.requests import WriteQuery, json_body, matches_of, query_of
from provider.api.surface import SURFACE
from provider.api.views import ShortRoutingView, View
from provider.api.writing import DifferenceView, Made, changed_records, with_routing, written
from provider.issuing.issued import fingerprint
from provider.issuing.issuer import Issuance
from registry.errors import InvalidRecord
from registry.fields import instant_text
from registry.schema import field_errors
from registry.store import EnvironmentStore
from registry.writer import Preview


class Issuing(BaseModel):
    """For which environment a certificate is asked."""

    model_config = ConfigDict(extra="forbid", strict=True)

    environment: Annotated[
        str, Field(min_length=1, max_length=200, description="its `environment_id` or its `slug`")
    ]


class IssuedView(View):
    """What was issued. The key is in its file, and nowhere else."""

    environment: str
    cert_file: str
    key_file: str
    names: list[str]
    not_after: str
    fingerprint: str
    issuer: str
    routing: ShortRoutingView | None = None


class DryIssuedView(DifferenceView):
    """What would be issued, and what would change in the record."""

    environment: str
    slug: str
    cert_file: str
    key_file: str
    names: list[str]
    changes: list[dict[str, Any]]


class AuthorityView(View):
    """The certificate of the development CA, for who is to trust it."""

    pem: str
    fingerprint: str
    not_after: str
    domains: list[str]


async def issue_certificate(request: web.Request) -> web.Response:
    """A development certificate for an environment, put in its place."""
    surface, dry = request.app[SURFACE], query_of(request, WriteQuery).dry_run
    try:
        given = Issuing.model_validate(await json_body(request))
    except ValidationError as error:
        raise InvalidRecord("the body names an environment", field_errors(error)) from None
    matches, make = matches_of(request), surface.issuer.rehearse if dry else surface.issuer.issue

    async def issue(store: EnvironmentStore) -> Issuance:
        """A pair that replaces one changes files alone, so the reconciler is told to look."""
        issued = await make(store, given.environment, matches, by=author(request))
        surface.reconciler.wake.set()
        return issued

    return await written(request, issue, _made, _foreseen, show=with_routing)


async def read_dev_ca(request: web.Request) -> web.Response:
    """The certificate of the development CA."""
    authority = await request.app[SURFACE].issuer.authority()
    return web.json_response(
        {
            "pem": authority.certificate.public_bytes(Encoding.PEM).decode(),
            "fingerprint": fingerprint(authority.certificate),
            "not_after": instant_text(authority.certificate.not_valid_after_utc),
            "domains": list(authority.domains),
        }
    )


def _made(issued: Issuance) -> Made:
    assert issued.signed is not None
    certificate = issued.signed.certificate
    value = {
        **_shown(issued),
        "not_after": instant_text(certificate.not_valid_after_utc),
        "fingerprint": fingerprint(certificate),
        "issuer": certificate.issuer.rfc4514_string(),
    }
    return Made(value, [issued.environment.environment_id], 201)


def _foreseen(issued: Issuance, preview: Preview) -> dict[str, Any]:
    changed = [each for item in changed_records(preview) for each in item["changes"]]
    return {**_shown(issued), "slug": issued.environment.slug, "changes": changed}


def _shown(issued: Issuance) -> dict[str, Any]:
    return {
        "environment": issued.environment.environment_id,
        **issued.pair._asdict(),
        "names": [each.name for each in issued.wanted],
    }
