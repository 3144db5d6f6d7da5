"""What happens to a question at a node.

1. authenticate: the gateway's and the consumer's signatures, freshness, replay, addressee; token and agreement
2. scope: nothing that the consumer did not sign, nobody whom the exchange did not translate for this request
3. decide: the policy in force gives a plan for each type, narrowed to the agreement
4. compile: operation and decisions become one SQL statement; a denied column is never read; what many such answers
   would tell together is bounded (`guards.py`)
5. record: the disclosure is in the journal, durably, before any data leaves or is written; no record, no data
6. answer: data, errors, decisions and the receipt; the server signs it, bound to the request

A mutation goes the same way: what it will write, under the policy, is its answer, and it is written after (5)
(`node.enforcement.write`). So does a question about changes (`node.enforcement.signals`). A node never trusts the
gateway: a direct call gives the same answer as a call through it.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import DocumentNode

from federation.contract.coverage import AskedField
from federation.contract.decisions import DENY
from federation.contract.entries import EntryKind
from federation.contract.errors import BadInputError, CroceviaError, FieldDeniedError, IdempotencyError
from federation.contract.evidence import AnswerEvidence
from federation.contract.graphql_request import GraphQLRequest, Limits
from federation.contract.messages import EXTENSION, NodeAnswerExtension
from federation.contract.on_denied import OnDenied
from federation.contract.receipts import Receipt
from federation.trust.http_messages import HttpRequest
from node.data.answer import Answer
from node.data.node_keys import NodeKeys
from node.data.plane import DataPlane
from node.data.rows import NO_CONSENTS
from node.enforcement.caller import Caller, Identity, authenticate
from node.enforcement.decide import Decisions
from node.enforcement.documents import Documents
from node.enforcement.evidence import committed_to
from node.enforcement.guards import Guards
from node.enforcement.policy_view import PolicyView, answer_about_policy, asks_about_policy
from node.enforcement.record import disclosure, refusal
from node.enforcement.scope import (
    EntityKeys,
    asked_representations,
    require_agreed_roots,
    require_no_identifiers,
    require_translated_keys,
    require_within_consumers_operation,
)
from node.enforcement.signals import Signalling, asks_for_changes, tell_changes
from node.enforcement.write import Writing, is_mutation, nothing, plan_writes
from node.journal.journal import Journal
from node.own.consents import Consents


@dataclass(frozen=True, slots=True)
class Node:
    """Everything a question passes.

    `documents` are written on this node's schema, `consumers_documents` on the federation's API schema; `policy` is the
    bundle in force: a question keeps the node it began with, so it sees exactly one bundle (policy R36).
    """

    identity: Identity
    documents: Documents
    consumers_documents: Documents
    plane: DataPlane
    keys: NodeKeys
    policy: Decisions
    journal: Journal
    guards: Guards
    limits: Limits
    signalling: Signalling | None = None
    consents: Consents | None = None
    writing: Writing | None = None
    random: Callable[[int], bytes] = secrets.token_bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """An answer that has not left, what the journal will call it, and what is done once it is recorded."""

    answer: Answer
    kind: EntryKind = EntryKind.DISCLOSURE
    carry_out: Callable[[], Awaitable[bool]] = nothing
    """Say whether the answer is right: False where something was written meanwhile that it should tell of."""


async def answer(request: HttpRequest, node: Node) -> bytes:
    """Answer one signed question with the bytes of a GraphQL response.

    Raises:
        CroceviaError: the question was refused as a whole; the refusal is recorded.
    """
    caller: Caller | None = None
    try:
        asked = GraphQLRequest.parse(request.body, node.limits)
        caller = await authenticate(request, asked, node.identity, node.limits)  # (1)
        node.journal.require_witnessed()
        asked = caller.operation if caller.relayed is None else asked
        document = node.documents.understood(asked.text)
        wanted = scoped(asked, caller, node)  # (2)
        while True:  # ends: what was written under a key meanwhile is known the next time
            prepared = await prepare(document, asked, wanted, caller, node)  # (3) (4)
            answered = prepared.answer
            require_wanted(answered, caller)
            committed = committed_to(answered.data, wanted, caller, node.random)
            entry = disclosure(caller, asked, answered, node, committed.digest, prepared.kind)
            receipt = await node.journal.record(entry, answered.subjects)  # (5)
            evidence = await committed.evidence(receipt, node.journal)
            if await prepared.carry_out():
                break
            await node.journal.record(refusal(caller, IdempotencyError("written meanwhile"), node))
    except CroceviaError as refused:
        await node.journal.record(refusal(caller, refused, node))
        raise
    return _response(answered, caller, receipt, evidence, node)  # (6)


async def prepare(
    document: DocumentNode, asked: GraphQLRequest, wanted: frozenset[AskedField], caller: Caller, node: Node
) -> Prepared:
    """Decide and answer: what is asked about rules from the rules, everything else from the data, within the guards."""
    if asks_about_policy(wanted):
        return Prepared(answer_about_policy(document, asked, _view(caller, node)))
    await node.guards.before(wanted, caller, node.identity)
    plans = node.policy.of(caller.requested)  # (3)
    audit = node.guards.audit(caller, node.identity)
    consents = NO_CONSENTS if node.consents is None else await node.consents.of(caller.consumer.id)
    asker = node.keys.asker(caller.consumer.id, audit, caller.requested.provider.longest_list, consents)
    if asks_for_changes(wanted):
        told = await tell_changes(document, asked, wanted, caller, node.plane, plans, asker, _signalling(node))  # (4)
        return Prepared(told, EntryKind.SIGNAL)
    if is_mutation(document, asked):
        planned = await plan_writes(document, asked, caller, node.plane, plans, asker, _writing(node))  # (4)
        prepared = Prepared(planned.answer, EntryKind.WRITE, planned.carry_out)
    else:
        prepared = Prepared(await node.plane.answer(document, asked, plans, asker))  # (4)
    await node.guards.after(wanted, prepared.answer, caller, node.identity, node.policy.bundle)
    return prepared


def _signalling(node: Node) -> Signalling:
    if node.signalling is None:
        raise BadInputError("this node tells of no changes; it keeps no tables of its own")
    return node.signalling


def _writing(node: Node) -> Writing:
    if node.writing is None:
        raise BadInputError("this node takes no writes; its mapping names none")
    return node.writing


def _view(caller: Caller, node: Node) -> PolicyView:
    return PolicyView(node.identity.member, caller, node.policy, node.documents.schema)


def scoped(asked: GraphQLRequest, caller: Caller, node: Node) -> frozenset[AskedField]:
    """Return what is asked: a gateway's question is held against the consumer's, a consumer's own is that operation.

    Raises:
        FieldDeniedError: the agreement does not open a list or look-up.
        ScopeError: the gateway asks more than the consumer signed, or the consumer asks for citizens' identifiers.
    """
    wanted = node.documents.asked(asked.text, asked.operation_name, asked.variables)
    require_agreed_roots(wanted, caller.requested.provider)
    keys = EntityKeys(node.plane.entity_keys)
    if caller.relayed is None:
        require_no_identifiers(wanted, keys)
        return wanted
    own = caller.operation
    signed = node.consumers_documents.asked(own.text, own.operation_name, own.variables)
    require_within_consumers_operation(wanted, signed, keys)
    require_translated_keys(
        (each for _, each in asked_representations(wanted)),
        caller.translations,
        node.identity.member,
        caller.requested.purpose,
        caller.request_digest,
    )
    return wanted


def require_wanted(answered: Answer, caller: Caller) -> None:
    """Under `onDenied: reject` one denied field refuses the whole (policy R12)."""
    denied = [decision.coordinate for decision in answered.decisions if decision.form == DENY]
    if denied and caller.on_denied is OnDenied.REJECT:
        raise FieldDeniedError(f"denied for this purpose: {', '.join(denied)}", coordinates=denied)


def _response(answered: Answer, caller: Caller, receipt: Receipt, evidence: AnswerEvidence | None, node: Node) -> bytes:
    extension = NodeAnswerExtension(
        member=node.identity.member,
        request_digest=caller.request_digest,
        purpose=caller.requested.purpose,
        agreement=caller.agreement.id,
        policy=node.policy.version,
        decisions=answered.decisions,
        receipt=receipt,
        evidence=evidence,
    )
    content: dict[str, Any] = {"data": answered.data, "extensions": {EXTENSION: extension}}
    if answered.errors:
        content["errors"] = answered.errors
    return msgspec.json.encode(content)
