"""The consumer's side of the wire: a token for each purpose, a signature and a proof for each question."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from federation.contract.clock import Clock, epoch_seconds
from federation.contract.errors import BadInputError, UnavailableError
from federation.contract.identifiers import MemberId
from federation.contract.messages import ConsumerRequest
from federation.contract.on_denied import HEADER as ON_DENIED
from federation.contract.on_denied import OnDenied
from federation.contract.trusted_documents import is_document_id
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import sign_request
from federation.trust.keys import SigningKey
from federation.trust.tokens import (
    ASSERTION_TYPE,
    ClientAssertion,
    dpop_proof,
    issue_client_assertion,
    make_dpop,
)

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_EARLY = 30
"""Seconds before its end at which a token is renewed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status and the JSON body, exactly as bytes too; `request` is what was signed."""

    status: int
    content: dict[str, Any]
    body: bytes
    request: ConsumerRequest

    @property
    def refusal(self) -> str:
        """Return what the first error says, else the HTTP status."""
        errors = self.content.get("errors") or [{}]
        return str(errors[0].get("message", self.status))


@dataclass(slots=True, eq=False)  # not frozen: Python writes an exception's traceback into it
class Refused(Exception):  # noqa: N818  # the federation refused; nothing is wrong here
    """The authorisation server refused a token: its OAuth error and what it says."""

    status: int
    code: str
    message: str


@dataclass(slots=True)
class PartnerClient:
    """A partner's own system. `gateway` is the gateway's origin; `nonce` makes unguessable base64url texts."""

    member: MemberId
    gateway: str
    key: SigningKey
    http: httpx.AsyncClient
    clock: Clock
    nonce: Callable[[], str]
    _tokens: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    _server_nonce: str = ""

    async def ask(
        self,
        query: str,
        purpose: str,
        agreement: str,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
        extensions: Mapping[str, Any] | None = None,
        on_denied: OnDenied | None = None,
    ) -> Answer:
        """Ask one question for one purpose; `extensions` are those of the GraphQL request.

        `query` is a document, or the id (`sha256:…`) of one that the agreement lists.

        With `on_denied`, the answer to a denied field is another than the agreement says, if it is stricter.

        Raises:
            Refused: no token is given for this purpose.
            UnavailableError: the gateway does not answer.
        """
        token = await self._token(purpose, agreement)
        content: dict[str, Any] = {"documentId" if is_document_id(query) else "query": query}
        if variables:
            content["variables"] = dict(variables)
        if operation_name:
            content["operationName"] = operation_name
        if extensions:
            content["extensions"] = dict(extensions)
        return await self.post("/graphql", msgspec.json.encode(content), token, on_denied)

    async def post(self, path: str, body: bytes, token: str, on_denied: OnDenied | None = None) -> Answer:
        """Send a signed body to the gateway with a token and a fresh proof of possession."""
        uri = self.gateway + path
        headers = {"content-type": _JSON, "authorization": f"DPoP {token}"}
        if on_denied is not None:
            headers[ON_DENIED] = on_denied
        signature = sign_request(HttpRequest("POST", uri, headers, body), self.key, self.clock, self.nonce())
        proof = make_dpop(dpop_proof("POST", uri, self.nonce(), self.clock, token), self.key)
        response = await self._send(uri, body, {**headers, **signature, "dpop": proof, "accept": _JSON})
        signed = ConsumerRequest("POST", uri, {**headers, **signature}, b64encode(body).decode("ascii"))
        return Answer(response.status_code, _object(response), response.content, signed)

    async def _token(self, purpose: str, agreement: str) -> str:
        known = self._tokens.get((purpose, agreement))
        if known and known[1] - _EARLY > epoch_seconds(self.clock):
            return known[0]
        endpoint = self.gateway + "/oauth2/token"
        assertion = ClientAssertion.fresh(self.member, endpoint, (purpose, agreement), self.nonce(), self.clock)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": issue_client_assertion(assertion, self.key),
        }
        response = await self._send_with_nonce(endpoint, str(httpx.QueryParams(form)).encode())
        found = _object(response)
        if response.status_code != httpx.codes.OK:
            raise Refused(
                response.status_code, str(found.get("code", "ERROR")), str(found.get("error_description", ""))
            )
        token = str(found["access_token"])
        self._tokens[purpose, agreement] = (token, epoch_seconds(self.clock) + int(found["expires_in"]))
        return token

    async def _send_with_nonce(self, endpoint: str, form: bytes) -> httpx.Response:
        """Send a token request, once more where the server wants its newer nonce in the proof (RFC 9449 section 8)."""
        response = await self._send_with_proof(endpoint, form)
        if response.status_code == httpx.codes.BAD_REQUEST and _object(response).get("error") == "use_dpop_nonce":
            response = await self._send_with_proof(endpoint, form)
        return response

    async def _send_with_proof(self, endpoint: str, form: bytes) -> httpx.Response:
        proof = dpop_proof("POST", endpoint, self.nonce(), self.clock, nonce=self._server_nonce)
        response = await self._send(endpoint, form, {"content-type": _FORM, "dpop": make_dpop(proof, self.key)})
        self._server_nonce = response.headers.get("dpop-nonce", "")
        return response

    async def _send(self, uri: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return await self.http.post(uri, content=body, headers=dict(headers))
        except httpx.TransportError as error:
            raise UnavailableError(
                f"gateway at `{self.gateway}` does not answer; is the federation running?"
            ) from error


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except ValueError as error:
        raise BadInputError(f"gateway answered {response.status_code} without a JSON object") from error
