"""The authorisation server: a member's signed assertion in, an access token for one purpose and one agreement out.

OAuth 2.0 client credentials (RFC 6749 section 4.4) with `private_key_jwt` (RFC 7523) and DPoP (RFC 9449). The token is
good for the gateway and for the nodes of the agreement's providers, and for the key that proved its possession.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from federation.contract.clock import Clock, day_in_rome, epoch_seconds
from federation.contract.errors import (
    BadInputError,
    ProofError,
    ProofNonceError,
    TokenError,
    TokenReplayError,
    UnknownMemberError,
)
from federation.contract.identifiers import MemberId
from federation.contract.members import Agreement, KeyUse, MemberList
from federation.gateway.caller import CurrentMembers
from federation.gateway.token_endpoint import GrantTypeError, TokenScopeError
from federation.trust.dpop_nonces import DpopNonces
from federation.trust.keys import KeyLookup, MessageSigner, VerifyKey, jwks, message_keys
from federation.trust.replay import ReplayStore
from federation.trust.tokens import (
    ASSERTION_TYPE,
    SKEW,
    AccessClaims,
    Confirmation,
    issue_access_token,
    used_once,
    verify_client_assertion,
    verify_dpop,
)

TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105  # a path
_LIFE: Final = 300


@dataclass(frozen=True, slots=True)
class AuthorisationServer:
    """Issues tokens. `url` is the gateway's origin; `new_id` makes token ids."""

    url: str
    members: CurrentMembers
    key: MessageSigner
    replay: ReplayStore
    nonces: DpopNonces
    clock: Clock
    new_id: Callable[[], str]

    def token(self, form: Mapping[str, str], dpop: str | None) -> dict[str, Any]:
        """Answer a token request (RFC 6749 section 4.4.2).

        (1) the form; (2) the client's assertion; (3) the proof of possession, by a key of the same client, with a nonce
        that this server gave; (4) each used once; (5) the purpose under the agreement.

        Raises:
            BadInputError: (1).
            ProofNonceError: (3) the nonce is missing or old; nothing was used up, so that only the proof is made anew.
            AuthenticationError: (2) to (4), each with its code.
            AuthorisationError: (5).
        """
        assertion_text = _assertion(form)  # (1)
        members = self.members.current()
        endpoint = self.url + TOKEN_PATH
        assertion = verify_client_assertion(assertion_text, endpoint, self._keys_of(members), self.clock)  # (2)
        if form.get("client_id", assertion.member) != assertion.member:  # RFC 7521 section 4.2
            raise TokenError("`client_id` is another client than the assertion's")
        if dpop is None:  # (3)
            raise ProofError("expected a header `DPoP` with a proof of possession (RFC 9449)")
        proof = verify_dpop(dpop, "POST", endpoint, self.clock)
        member = members.member(assertion.member)
        if message_keys(member.keys, self.clock.now())(proof.jkt) is None:
            raise ProofError("DPoP proof is not by a message key of the client")
        if not self.nonces.accepts(proof.nonce):
            raise ProofNonceError("make the DPoP proof anew with the nonce in the header `DPoP-Nonce`")
        if not self.replay.first_time(f"assertion:{assertion.member}", assertion.jti, assertion.exp + SKEW):  # (4)
            raise TokenReplayError("client assertion was already used; make a new one with another `jti`")
        if not self.replay.first_time(*used_once(proof)):
            raise TokenReplayError("DPoP proof was already used; make a new one with another `jti`")
        agreement = members.agreement(assertion.agreement)  # (5)
        agreement.require(member.id, assertion.purpose, day_in_rome(self.clock.now()))
        now = epoch_seconds(self.clock)
        claims = AccessClaims(
            issuer=members.federation,
            subject=member.id,
            client_id=member.id,
            audience=_audience(members, agreement),
            purpose=assertion.purpose,
            agreement=agreement.id,
            jti=self.new_id(),
            iat=now,
            exp=now + _LIFE,
            confirmation=Confirmation(proof.jkt),
        )
        return {"access_token": issue_access_token(claims, self.key), "token_type": "DPoP", "expires_in": _LIFE}

    def metadata(self) -> dict[str, Any]:
        """Return the server's metadata (RFC 8414 section 2)."""
        return {
            "issuer": self.members.current().federation,
            "token_endpoint": self.url + TOKEN_PATH,
            "jwks_uri": self.url + "/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "dpop_signing_alg_values_supported": ["ES256"],
        }

    def jwks(self) -> dict[str, Any]:
        """Return every key that tokens may be signed with now: the one in use, and those that come and go."""
        now = self.clock.now()
        listed = (key for key in self.members.current().gateway.keys if key.use is KeyUse.MESSAGE and key.valid_at(now))
        known = {key.kid: VerifyKey.from_jwk(dict(key.jwk)) for key in listed}
        return jwks([*known.values()])

    def _keys_of(self, members: MemberList) -> Callable[[MemberId], KeyLookup]:
        def keys_of(member: MemberId) -> KeyLookup:
            try:
                return message_keys(members.member(member).keys, self.clock.now())
            except UnknownMemberError:
                return lambda _: None

        return keys_of


def _assertion(form: Mapping[str, str]) -> str:
    if "grant_type" not in form:
        raise BadInputError("expected `grant_type=client_credentials`")
    if form["grant_type"] != "client_credentials":
        raise GrantTypeError("expected `grant_type=client_credentials`; there is no other")
    if "scope" in form:
        raise TokenScopeError("expected no `scope`: the assertion names one purpose and its agreement")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise BadInputError(f"expected `client_assertion_type={ASSERTION_TYPE}`")
    assertion = form.get("client_assertion", "")
    if not assertion:
        raise BadInputError("expected `client_assertion` with a signed JWT")
    return assertion


def _audience(members: MemberList, agreement: Agreement) -> tuple[str, ...]:
    """The gateway, the exchange, and the nodes that the agreement lets the consumer ask."""
    endpoints = (members.member(provider.member).endpoint for provider in agreement.providers)
    return (members.gateway.endpoint, members.exchange.endpoint, *(endpoint for endpoint in endpoints if endpoint))
