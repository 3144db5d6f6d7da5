"""A node's own signed question to gateway or exchange, and the signed answer to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from federation.contract.clock import Clock
from federation.contract.errors import AuthorisationError, QuotaExceededError, UnavailableError
from federation.contract.members import Party
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_request, verify_response
from federation.trust.keys import MessageSigner, message_keys

_BARE = {"content-type": "application/json", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks in the node's name. `nonce` makes unguessable base64url texts."""

    key: MessageSigner
    http: httpx.AsyncClient
    clock: Clock
    nonce: Callable[[], str]

    async def ask(self, party: Party, called: str, unavailable: type[UnavailableError], url: str, body: bytes) -> bytes:
        """Return the body of a party's answer; `called` names it in errors.

        Raises:
            UnavailableError: no answer, or a refusal; of the class that was given.
            AuthorisationError, QuotaExceededError: the party does not do this for this member, or no more today.
            AuthenticationError: the answer is not the party's, or not to this question.
        """
        bare = HttpRequest("POST", url, _BARE, body)
        signed = {**bare.headers, **sign_request(bare, self.key, self.clock, self.nonce())}
        try:
            found = await self.http.post(url, content=body, headers=signed)
        except httpx.TransportError as error:
            raise unavailable(f"{called} does not answer") from error
        _require_answered(found, called, unavailable)
        response = HttpResponse(found.status_code, dict(found.headers), found.content)
        keys = message_keys(party.keys, self.clock.now())
        verify_response(response, RequestBinding.of(HttpRequest("POST", url, signed, body)), keys, self.clock)
        return found.content


def _require_answered(found: httpx.Response, called: str, unavailable: type[UnavailableError]) -> None:
    if found.status_code == httpx.codes.OK:
        return
    said = found.json() if "json" in found.headers.get("content-type", "") else {}
    detail = str(said.get("detail", f"{called} refused"))
    if found.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise QuotaExceededError(detail, retryAfter=said.get("retryAfter"))
    if found.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise AuthorisationError(f"{detail} ({said.get('code', found.status_code)})")
    raise unavailable(f"{called} refused ({said.get('code', found.status_code)})")
