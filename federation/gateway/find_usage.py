"""The citizen's report for portals that speak REST: the shape of Estonia's `findUsage`, described by OpenAPI.

The body is the portal's signed question for the report, exactly as it would send it to `/graphql`, and it is answered
by the same pipeline; the URL only says which part of the answer is wanted. So nothing is decided or recorded otherwise,
and the one question cannot be used at both addresses.

Entries are verified here (`federation.consumer.access`). Who does not want to believe the gateway asks `/graphql`, and
verifies the proofs itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

import msgspec

from federation.consumer.access import ACCESS_REPORT, Access, AccessReport, disclosures, read_report
from federation.contract.errors import BadInputError, UnavailableError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.languages import Language
from federation.contract.members import MemberList

USAGE_PATH: Final = "/v2/findUsage"
OPENAPI_PATH: Final = "/v2/openapi.json"

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class UsageWanted(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Which part of the report is wanted: from `periodStart` until before `periodEnd`, and a page of it."""

    period_start: _Instant | None = None
    period_end: _Instant | None = None
    offset: _Count = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000

    @classmethod
    def parse(cls, query_string: bytes) -> UsageWanted:
        """Read the URL's parameters.

        Raises:
            BadInputError: one is unknown, given twice, or not what it should be.
        """
        try:
            pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, max_num_fields=8)
            if len(dict(pairs)) != len(pairs):
                raise BadInputError("query string has a parameter twice")
            return msgspec.convert(dict(pairs), cls, strict=False)
        except ValueError as error:  # of msgspec, no ASCII, or too many
            known = ", ".join(f"`{name}`" for name in cls.__struct_encode_fields__)
            raise BadInputError(
                f"parameters are {known}; instants are RFC 3339 with a zone, `limit` is 1 to 1000"
            ) from error

    def covers(self, at: datetime) -> bool:
        """Say whether an instant is within the period."""
        return (self.period_start is None or self.period_start <= at) and (
            self.period_end is None or at < self.period_end
        )


class Usage(msgspec.Struct, frozen=True, rename="camel"):
    """One access: `action` is the purpose, `receiverSystem` the office that the receiver named, if it did.

    `member` is the administration whose data left, `fields` what it answered, `proved` whether its ledger's
    signed checkpoint holds the entry.
    """

    logtime: str
    action: str
    receiver_code: str
    receiver_name: str
    receiver_system: str
    member: str
    legal_basis: tuple[str, ...]
    fields: tuple[str, ...]
    proved: bool


class EntryPosition(msgspec.Struct, frozen=True):
    """A position in a member's ledger."""

    member: str
    entry: _Count


class Usages(msgspec.Struct, frozen=True, rename="camel"):
    """A page of the usages in the period, newest first; `totalUsages` counts all that this question found.

    `gaps` are the members that did not answer, `incomplete` those whose answer is not the one that they recorded.
    `older` are the members that have older entries than one answer holds: another question, with this as its variable
    `before`, finds them. It is empty when nothing is left.
    """

    total_usages: int
    usages: tuple[Usage, ...]
    gaps: tuple[str, ...]
    incomplete: tuple[str, ...]
    older: tuple[EntryPosition, ...]


class Problem(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457); `code` is one of docs/errors.md."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def require_report(asked: GraphQLRequest) -> None:
    """Accept the question for the report, and no other.

    Raises:
        BadInputError: the body asks for something else.
    """
    if asked.query != ACCESS_REPORT:
        raise BadInputError(f"`query` must be the question for the report, as `{OPENAPI_PATH}` has it")


def require_answered(answer: Mapping[str, Any]) -> None:
    """Refuse what holds no report, with what the pipeline says of it.

    Raises:
        BadInputError, UnavailableError: there is none.
    """
    if (answer.get("data") or {}).get("accessReport") is not None:
        return
    said: Mapping[str, Any] = next(iter(answer.get("errors") or ()), {})
    refusal = BadInputError if said.get("extensions", {}).get("code") == BadInputError.code else UnavailableError
    raise refusal(str(said.get("message", "the report could not be collected")))


class _Variables(msgspec.Struct, frozen=True):
    before: tuple[EntryPosition, ...] | None = None


class _Question(msgspec.Struct, frozen=True):
    variables: _Variables


def verified(answer: Mapping[str, Any], question: bytes, digest: str, members: MemberList) -> AccessReport:
    """Verify an answer as what the signed question (its body) asked for.

    Raises:
        BadInputError, UnavailableError: there is no report in it.
    """
    require_answered(answer)
    before = msgspec.json.decode(question, type=_Question).variables.before or ()
    return read_report(answer, members, digest, {each.member: each.entry for each in before})


def usages(report: AccessReport, wanted: UsageWanted, members: MemberList) -> Usages:
    """Return the wanted part of a verified report."""
    older = tuple(EntryPosition(member, entry) for member, entry in sorted(report.older.items()))
    found = [each for each in disclosures(report) if wanted.covers(datetime.fromisoformat(each.entry.at))]
    page = found[wanted.offset : wanted.offset + wanted.limit]
    return Usages(len(found), tuple(_usage(each, members) for each in page), report.gaps, report.incomplete, older)


def _usage(access: Access, members: MemberList) -> Usage:
    entry = access.entry
    return Usage(
        logtime=entry.at,
        action=entry.purpose,
        receiver_code=entry.consumer,
        receiver_name=members.member_name(entry.consumer, Language.ITALIAN),
        receiver_system=entry.office,
        member=access.member,
        legal_basis=entry.legal_basis,
        fields=tuple(each.coordinate for each in entry.decisions if each.disclosed),
        proved=access.proved,
    )


def openapi(url: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, made from the types that read and write."""
    _, schemas = msgspec.json.schema_components(
        (Usages, EntryPosition, Problem, UsageWanted), ref_template="#/components/schemas/{name}"
    )
    parameters = schemas.pop("UsageWanted")["properties"]
    question = {
        "type": "object",
        "required": ["query", "variables"],
        "properties": {
            "query": {"const": ACCESS_REPORT},
            "variables": {
                "type": "object",
                "required": ["citizen"],
                "properties": {
                    "citizen": {"type": "string", "description": "The portal's pseudonym of the citizen."},
                    "before": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/EntryPosition"},
                        "description": "What the answer before said under `older`: then these members are asked.",
                    },
                },
            },
            "extensions": {"type": "object", "description": "`delegation`, where somebody asks for another."},
        },
    }
    refused = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Crocevia: usage of a citizen's data",
            "version": "2.0.0",
            "description": "Who looked at a citizen's data, when, for which purpose, under which law, at which member.",
        },
        "servers": [{"url": url}],
        "paths": {
            USAGE_PATH: {
                "post": {
                    "operationId": "findUsage",
                    "summary": "The usages of one citizen's data, newest first",
                    "description": "Token, proof and signature are those of the same body sent to `/graphql`.",
                    "security": [{"dpop": []}],
                    "parameters": [
                        {"name": name, "in": "query", "required": False, "schema": schema}
                        for name, schema in parameters.items()
                    ],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": question}}},
                    "responses": {
                        "200": {
                            "description": "A page of usages.",
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usages"}}},
                        },
                        "default": {"description": "A refusal, with its code.", "content": refused},
                    },
                }
            }
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"dpop": {"type": "http", "scheme": "DPoP", "description": "RFC 9449, RFC 9421"}},
        },
    }
