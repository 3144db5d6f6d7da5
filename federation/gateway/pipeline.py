"""What happens to a partner's question.

1. authenticate: token, proof of possession, the consumer's signature; the token names one purpose and one agreement
2. prepare: one of the agreement's documents if it lists any, parse, bound, validate, plan, estimate; cached by text and
   agreement
3. execute: every node gets its own part with the consumer's signed request; pseudonyms are translated on the way
4. close the last door: no pseudonym of another domain leaves
5. record: one entry in the gateway's ledger, durable before anything leaves
6. respond: data, errors, and who decided what under which policy, with receipts

The gateway never decides access: nodes do, by what the consumer signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import msgspec

from federation.contract.clock import Clock, rfc3339
from federation.contract.entries import Entry, EntryKind
from federation.contract.errors import CroceviaError, NotFoundError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.identifiers import MemberId
from federation.contract.messages import NodeAnswerExtension
from federation.contract.on_denied import OnDenied
from federation.contract.trusted_documents import trusted
from federation.execution.execute import execute
from federation.execution.ports import Answered, EntityRouter, Fetcher
from federation.execution.resilient import ResilientFetcher
from federation.execution.respond import Response
from federation.execution.run import Outside
from federation.gateway.caller import Caller, CurrentMembers, Doorkeeper, authenticate
from federation.gateway.disclosure import evidence_extension, joined_decisions, privacy_extension, told_by
from federation.gateway.egress import own_pseudonyms, shown_pseudonyms
from federation.gateway.pseudonyms import PseudonymRouter, Translator
from federation.gateway.questions import Question, Questions
from federation.gateway.rejecting import NotedDenials
from federation.ledger.log import Ledger
from federation.shared.together import Together
from federation.trust.http_messages import HttpRequest
from federation.trust.rates import Standing

GATEWAY = MemberId("gateway")


class Mediation(msgspec.Struct, frozen=True):
    """What one request needs from outside: its translator, and the fetcher that carries its signed request.

    `members` keeps the breakers and the retry budget that all requests share; `said` fills with what nodes say beside
    their data, by fetch, and `unable` with the nodes that say that they cannot answer now.
    """

    translator: Translator
    fetcher: Fetcher
    members: ResilientFetcher
    said: Mapping[int, NodeAnswerExtension]
    unable: Collection[str]


OpenMediation = Callable[[Caller, Question, str], Mediation]
"""From caller, question and trace id to the request's mediation."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything a request passes.

    `together` commits what the door must remember; `require_witnessed` refuses once nobody outside has seen the ledger
    for too long; `deadline` is in seconds; `new_trace` makes trace ids.
    """

    members: CurrentMembers
    door: Doorkeeper
    together: Together
    questions: Questions
    mediate: OpenMediation
    ledger: Ledger
    require_witnessed: Callable[[], None]
    clock: Clock
    deadline: float
    new_trace: Callable[[], str]


@dataclass(slots=True)
class _Heard:
    """What nodes said beside the data that was used, and which of them said nothing."""

    said: Mapping[int, NodeAnswerExtension]
    answers: list[NodeAnswerExtension] = field(default_factory=list)
    unavailable: list[str] = field(default_factory=list)

    def note(self, answered: Answered) -> None:
        """Keep how a fetch ended: the executor's `OnAnswer`."""
        if answered.failure is not None:
            self.unavailable.append(answered.member)
            return
        if answered.fetch_id in self.said:
            self.answers.append(self.said[answered.fetch_id])


class GatewayAnswer(msgspec.Struct, frozen=True):
    """The bytes of a GraphQL response, what is left of the asker's budget, and the client of its voucher, if any."""

    body: bytes
    standing: Standing
    client: str


async def answer(request: HttpRequest, asked: GraphQLRequest, gateway: Gateway) -> GatewayAnswer:
    """Answer one signed question.

    Raises:
        CroceviaError: the question was refused as a whole; the refusal is recorded.
    """
    trace = gateway.new_trace()
    caller: Caller | None = None
    try:
        caller = await authenticate(request, gateway.members.current(), gateway.door, gateway.together)  # (1)
        gateway.require_witnessed()
        asked = trusted(asked, caller.agreement)
        question = gateway.questions.question(asked, caller.agreement)  # (2)
        variables = gateway.questions.coerced(question, asked.variables)
        gateway.questions.require_affordable(question, variables)
        mediation = gateway.mediate(caller, question, trace)
        await _name_citizen(gateway.questions.written_about(question, asked), caller, question, mediation)
        heard = _Heard(mediation.said)
        if caller.on_denied is OnDenied.REJECT:
            response = await _execute_or_reject(question, variables, mediation, heard, gateway)  # (3)
        else:
            response = await _execute(question, variables, mediation, heard, gateway)  # (3)
        body = await _respond(response, caller, mediation, heard, trace)  # (4) (6)
        await gateway.ledger.record(_mediated(caller, question, mediation, trace, gateway).to_bytes())  # (5)
    except CroceviaError as refused:
        refused.extensions.setdefault("traceId", trace)
        await gateway.ledger.record(_refused(caller, refused, trace, gateway).to_bytes())
        raise
    return GatewayAnswer(body, caller.standing, caller.client)


async def _name_citizen(pseudonym: str | None, caller: Caller, question: Question, mediation: Mediation) -> None:
    """Let the exchange tell the members that a mutation goes to whom it is about; the operation itself stays as signed.

    Raises:
        NotFoundError: none of them holds a file on the citizen.
        NoOpenFileError: the consumer must hold one, and holds none.
        ExchangeUnavailableError: the exchange does not answer.
    """
    if pseudonym is None:
        return
    await mediation.translator.found(caller.consumer.id, pseudonym)
    for member in sorted(question.members - mediation.translator.statements.keys()):
        raise NotFoundError(f"member `{member}` holds no file on this citizen", member=member)


async def _execute(
    question: Question, variables: Mapping[str, object], mediation: Mediation, heard: _Heard, gateway: Gateway
) -> Response:
    router: EntityRouter = PseudonymRouter(mediation.translator)
    deadline = asyncio.get_running_loop().time() + gateway.deadline

    def note(answered: Answered) -> None:
        heard.note(answered)
        mediation.members.discredit(answered)

    outside = Outside(mediation.fetcher, router, note, retries=mediation.members.retries)
    return await execute(question.plan, variables, outside, deadline)


async def _execute_or_reject(
    question: Question, variables: Mapping[str, object], mediation: Mediation, heard: _Heard, gateway: Gateway
) -> Response:
    noted = NotedDenials(mediation.fetcher)
    response = await _execute(question, variables, msgspec.structs.replace(mediation, fetcher=noted), heard, gateway)
    return noted.rejected(response)


async def _respond(response: Response, caller: Caller, mediation: Mediation, heard: _Heard, trace: str) -> bytes:
    unavailable = {*heard.unavailable, *mediation.unable}
    look_ups = [mediation.said[number] for number in mediation.translator.look_ups if number in mediation.said]
    heard.answers[:0] = look_ups  # what is told as `id` was decided there
    supplied = told_by(response.provenance, [each.member for each in look_ups])
    privacy = privacy_extension(heard.answers, supplied, caller.purpose, caller.agreement.id, unavailable)
    extensions: dict[str, object] = {"privacy": privacy, "traceId": trace}
    if evidence := evidence_extension(heard.answers):
        extensions["evidence"] = evidence
    body = await own_pseudonyms(response.encode(extensions), mediation.translator)
    if not evidence:
        return body
    shown = shown_pseudonyms(body, caller.consumer.id)
    members = sorted({each["member"] for each in evidence})
    extensions["recognition"] = await mediation.translator.recognised(shown, members)
    return await own_pseudonyms(response.encode(extensions), mediation.translator)


def _mediated(caller: Caller, question: Question, mediation: Mediation, trace: str, gateway: Gateway) -> Entry:
    """Record what nodes told for this question, also where nothing of it was passed on."""
    return Entry(
        kind=EntryKind.MEDIATION,
        at=rfc3339(gateway.clock.now()),
        writer=GATEWAY,
        trace_id=trace,
        consumer=caller.consumer.id,
        purpose=caller.purpose,
        legal_basis=caller.legal_basis,
        agreement=caller.agreement.id,
        operation_digest=question.digest,
        request_digest=caller.request_digest,
        decisions=joined_decisions(mediation.said.values()),
        detail=" ".join(sorted(question.members)),
    )


def _refused(caller: Caller | None, refused: CroceviaError, trace: str, gateway: Gateway) -> Entry:
    """Record a refusal; what an unproved caller says about itself is not evidence and is left out."""
    entry = Entry(
        kind=EntryKind.REFUSAL,
        at=rfc3339(gateway.clock.now()),
        writer=GATEWAY,
        trace_id=trace,
        code=refused.code,
    )
    if caller is None:
        return entry
    return msgspec.structs.replace(
        entry,
        consumer=caller.consumer.id,
        purpose=caller.purpose,
        agreement=caller.agreement.id,
        request_digest=caller.request_digest,
    )
