"""Getting this member's own pseudonyms of people whose codes it knows, without telling anybody a code.

Codes leave blinded by a random scalar each (RFC 9497), so that the exchange learns neither a code nor whether it saw it
before; what the member makes of its answer is the same for every member, and goes back for the member's own pseudonym.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from federation.contract.canonical import from_b64url
from federation.contract.clock import Clock
from federation.contract.enrolment import ENROL_PATH, EnrolAnswer, EnrolRequest, EnrolStep
from federation.contract.errors import (
    AuthorisationError,
    BadInputError,
    ExchangeUnavailableError,
    QuotaExceededError,
)
from federation.contract.identifiers import MemberId, Pseudonym
from federation.contract.members import MemberList
from federation.linkage.oprf import blind, finalize, random_scalar
from federation.trust.http_messages import HttpRequest, HttpResponse
from federation.trust.http_signatures import RequestBinding, sign_request, verify_response
from federation.trust.keys import MessageSigner, message_keys

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Enroller:
    """Asks the exchange in the member's name. `nonce` makes unguessable base64url texts, `random` bytes."""

    member: MemberId
    members: MemberList
    key: MessageSigner
    http: httpx.AsyncClient
    clock: Clock
    nonce: Callable[[], str]
    random: Callable[[int], bytes]

    async def pseudonyms(self, codes: Sequence[str]) -> list[str]:
        """Return this member's pseudonym of the person of each code; at most `MAX_ENROLLED` codes.

        Raises:
            ExchangeUnavailableError: no answer, or none that fits the question.
            AuthorisationError, QuotaExceededError: the exchange enrols nobody for this member, or no more today.
        """
        given = [code.encode() for code in codes]
        scalars = [random_scalar(self.random) for _ in given]
        blinded = tuple(blind(each, scalar) for each, scalar in zip(given, scalars, strict=True))
        evaluated = await self._asked(EnrolStep.EVALUATE, blinded)
        try:
            values = tuple(
                finalize(each, scalar, from_b64url(element))
                for each, scalar, element in zip(given, scalars, evaluated, strict=True)
            )
        except BadInputError as error:
            raise ExchangeUnavailableError("the pseudonym exchange gave no elements of the group") from error
        issued = await self._asked(EnrolStep.ISSUE, values)
        if any(not self._is_own(text) for text in issued):
            raise ExchangeUnavailableError("the pseudonym exchange gave pseudonyms of another member")
        return list(issued)

    def _is_own(self, text: str) -> bool:
        try:
            return Pseudonym.parse(text).member == self.member
        except BadInputError:
            return False

    async def _asked(self, step: EnrolStep, values: tuple[bytes, ...]) -> tuple[str, ...]:
        url = self.members.exchange.endpoint + ENROL_PATH
        bare = HttpRequest(
            "POST", url, {"content-type": _JSON, "accept": _JSON}, EnrolRequest.of(step, values).to_bytes()
        )
        signed = {**bare.headers, **sign_request(bare, self.key, self.clock, self.nonce())}
        try:
            found = await self.http.post(url, content=bare.body, headers=signed)
        except httpx.TransportError as error:
            raise ExchangeUnavailableError("the pseudonym exchange does not answer") from error
        _require_answered(found)
        response = HttpResponse(found.status_code, dict(found.headers), found.content)
        keys = message_keys(self.members.exchange.keys, self.clock.now())
        binding = RequestBinding.of(HttpRequest(bare.method, url, signed, bare.body))
        verify_response(response, binding, keys, self.clock)
        try:
            answer = EnrolAnswer.parse(found.content)
        except BadInputError as error:
            raise ExchangeUnavailableError("the pseudonym exchange gave an answer that cannot be used") from error
        if len(answer.values) != len(values):
            raise ExchangeUnavailableError("the pseudonym exchange gave an answer that does not fit the question")
        return answer.values


def _require_answered(found: httpx.Response) -> None:
    if found.status_code == httpx.codes.OK:
        return
    said = found.json() if "json" in found.headers.get("content-type", "") else {}
    detail = str(said.get("detail", "the pseudonym exchange refused"))
    if found.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise QuotaExceededError(detail, retryAfter=said.get("retryAfter"))
    if found.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise AuthorisationError(f"{detail} ({said.get('code', found.status_code)})")
    raise ExchangeUnavailableError(f"the pseudonym exchange refused ({said.get('code', found.status_code)})")
