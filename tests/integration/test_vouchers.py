"""A partner that asks with a voucher of the platform, and is answered by a message signed as it signs its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from federation.contract.clock import epoch_seconds
from federation.contract.errors import CroceviaError
from federation.contract.members import VoucherClient, VoucherIssuer, VoucherPurpose
from federation.trust.foreign_keys import PinnedKeys
from federation.trust.http_messages import HttpRequest
from federation.trust.pdnd import INTEGRITY_HEADER, IntegrityClaims, digest_header, sign_integrity, verify_integrity
from tests.support.demo import nonce
from tests.support.vouchers import CLIENT, CLIENT_ID, ISSUER, PLATFORM, PURPOSE_ID, WithPlatform, public

if TYPE_CHECKING:
    from federation.contract.members import MemberList
    from tests.support.simulator import Simulator

pytestmark = pytest.mark.integration
PURPOSE = "benefit-assessment"
QUESTION = {
    "query": "query($by: CitizenKey!) { citizen(by: $by) { givenName isee } }",
    "variables": {"by": {"taxCode": "BNCLRA84H57F257B"}},
}


def _with_platform(members: MemberList) -> MemberList:
    agreement = next(each for each in members.agreements if each.consumer == "inprev")
    registered = (VoucherPurpose(PURPOSE_ID, agreement.id, PURPOSE),)
    client = VoucherClient(ISSUER, CLIENT_ID, (public(CLIENT, "client-1"),), registered)
    changed = tuple(
        msgspec.structs.replace(each, clients=(client,)) if each.id == "inprev" else each for each in members.members
    )
    issuers = (VoucherIssuer(ISSUER, (public(PLATFORM, "platform-1"),)),)
    return msgspec.structs.replace(members, members=changed, voucher_issuers=issuers)


def _asked(federation: Simulator) -> HttpRequest:
    gateway, now = federation.process.registry.current().gateway.endpoint, epoch_seconds(federation.clock)
    platform, body = WithPlatform(), msgspec.json.encode(QUESTION)
    platform.clock.instant = federation.clock.now()
    headers = {
        "authorization": f"Bearer {platform.voucher(aud=[gateway], jti=nonce())}",
        "content-type": "application/json",
        "digest": digest_header(body),
    }
    claims = IntegrityClaims(
        iss=CLIENT_ID,
        aud=gateway,
        iat=now,
        exp=now + 120,
        jti=nonce(),
        signed_headers=[{"digest": headers["digest"]}, {"content-type": "application/json"}],
    )
    return HttpRequest("POST", gateway, headers | {INTEGRITY_HEADER: sign_integrity(claims, "client-1", CLIENT)}, body)


async def test_a_voucher_is_answered_by_every_node_and_signed_as_modi_has_it(federation: Simulator) -> None:
    federation.publish(_with_platform)
    asked = _asked(federation)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(federation.app)) as http:
        answer = await http.post(asked.target_uri, content=asked.body, headers=dict(asked.headers))
        jwks = (await http.get(federation.process.settings.url + "/.well-known/jwks.json")).json()
    assert answer.json()["data"]["citizen"]["givenName"] == "Laura"
    keys = PinnedKeys.parse(json.dumps(jwks).encode(), "ES256")
    claims = verify_integrity(answer.headers, answer.content, CLIENT_ID, keys, federation.clock)
    assert (claims.iss, claims.request_digest) == (asked.target_uri, asked.headers["digest"])
    with pytest.raises(CroceviaError):
        verify_integrity(answer.headers, answer.content + b" ", CLIENT_ID, keys, federation.clock)
