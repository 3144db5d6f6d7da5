"""The gateway's way to the pseudonym exchange, on behalf of one consumer's request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from federation.contract.errors import BadInputError, CroceviaError, ExchangeUnavailableError
from federation.contract.messages import ConsumerRequest, Translation
from federation.exchange.messages import MAX_PIDS, Conversion, ConvertAnswer, ConvertRequest
from federation.execution.transport.errors import TransportError
from federation.execution.transport.message import HttpAnswer
from federation.gateway.sending import JSON, Peer, Sender, Signed

_OK = 200


@dataclass(frozen=True, slots=True)
class ExchangeClient:
    """Asks the exchange; `deadline` is on the event loop's clock."""

    sender: Sender
    exchange: Peer
    consumer_request: ConsumerRequest
    trace_id: str
    deadline: float

    async def convert(self, conversions: Sequence[Conversion]) -> Sequence[Translation]:
        """Return one signed statement per conversion; see `federation.gateway.pseudonyms.Exchange`.

        Raises:
            ExchangeUnavailableError: no answer, none that the exchange signed for this question, or none that fits it.
        """
        if any(len(conversion.pids) > MAX_PIDS for conversion in conversions):
            raise ExchangeUnavailableError(f"one question concerns more than {MAX_PIDS} citizens; ask for fewer")
        body = ConvertRequest(self.consumer_request, tuple(conversions), self.trace_id).to_bytes()
        asked = self.sender.signed(self.exchange, body)
        answer = await self._post(asked)
        if answer.status != _OK or answer.media_type != JSON:
            raise ExchangeUnavailableError("the pseudonym exchange refused to translate")
        try:
            self.sender.require_answer(self.exchange, asked, answer)
        except CroceviaError as error:
            raise ExchangeUnavailableError(
                f"the pseudonym exchange gave an answer whose signature does not hold ({error.code})"
            ) from error
        try:
            translations = ConvertAnswer.parse(answer.body).translations
        except BadInputError as error:
            raise ExchangeUnavailableError("the pseudonym exchange gave an answer that cannot be used") from error
        if [len(each.statement.pids) for each in translations] != [len(each.pids) for each in conversions]:
            raise ExchangeUnavailableError("the pseudonym exchange gave an answer that does not fit the question")
        return translations

    async def _post(self, request: Signed) -> HttpAnswer:
        try:
            answer: HttpAnswer = await self.sender.post(self.exchange, request, self.deadline)
        except TransportError as error:
            raise ExchangeUnavailableError("the pseudonym exchange does not answer") from error
        return answer
