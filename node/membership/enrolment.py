"""Getting this member's own pseudonyms of people whose codes it knows, without telling anybody a code.

Codes leave blinded by a random scalar each (RFC 9497), so that the exchange learns neither a code nor whether it saw it
before; what the member makes of its answer is the same for every member, and goes back for the member's own pseudonym.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from federation.contract.canonical import from_b64url
from federation.contract.enrolment import ENROL_PATH, EnrolAnswer, EnrolRequest, EnrolStep
from federation.contract.errors import BadInputError, ExchangeUnavailableError
from federation.contract.identifiers import MemberId, Pseudonym
from federation.contract.members import MemberList
from federation.linkage.oprf import blind, finalize, random_scalar
from node.membership.asking import Asking

_CALLED = "the pseudonym exchange"


@dataclass(frozen=True, slots=True)
class Enroller:
    """Asks the exchange in the member's name; `random` makes bytes."""

    member: MemberId
    members: MemberList
    asking: Asking
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
            raise ExchangeUnavailableError(f"{_CALLED} gave no elements of the group") from error
        issued = await self._asked(EnrolStep.ISSUE, values)
        if any(not self._is_own(text) for text in issued):
            raise ExchangeUnavailableError(f"{_CALLED} gave pseudonyms of another member")
        return list(issued)

    def _is_own(self, text: str) -> bool:
        try:
            return Pseudonym.parse(text).member == self.member
        except BadInputError:
            return False

    async def _asked(self, step: EnrolStep, values: tuple[bytes, ...]) -> tuple[str, ...]:
        exchange = self.members.exchange
        body = EnrolRequest.of(step, values).to_bytes()
        found = await self.asking.ask(exchange, _CALLED, ExchangeUnavailableError, exchange.endpoint + ENROL_PATH, body)
        try:
            answer = EnrolAnswer.parse(found)
        except BadInputError as error:
            raise ExchangeUnavailableError(f"{_CALLED} gave an answer that cannot be used") from error
        if len(answer.values) != len(values):
            raise ExchangeUnavailableError(f"{_CALLED} gave an answer that does not fit the question")
        return answer.values
