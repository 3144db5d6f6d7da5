"""No record, no data, seen from the gateway: an answer with data says where it is recorded, and about which request."""

from __future__ import annotations

import msgspec

from federation.contract.errors import NodeMisbehavedError
from federation.contract.messages import NodeAnswerExtension

_NOTHING = msgspec.Raw(b"null")


class _Extensions(msgspec.Struct, frozen=True):
    crocevia: NodeAnswerExtension | None = None


class _Answer(msgspec.Struct, frozen=True):
    """The parts of an answer that are looked at here; `data` is skipped over and stays as it is."""

    data: msgspec.Raw = _NOTHING
    extensions: _Extensions = _Extensions()


_DECODE = msgspec.json.Decoder(_Answer).decode


def require_recorded(body: bytes, member: str, request_digest: str) -> NodeAnswerExtension | None:
    """Return what a node says beside its data; refuse data for which it names no record of this request.

    An answer without data says nothing. What is no JSON at all is left to whoever reads the data.

    Raises:
        NodeMisbehavedError: the whole answer is to be discarded.
    """
    try:
        answer = _DECODE(body)
    except (msgspec.ValidationError, RecursionError) as error:
        raise NodeMisbehavedError(
            f"member `{member}` gave an answer without a readable record of it", member=member
        ) from error
    except ValueError:
        return None
    if bytes(answer.data) == b"null":
        return None
    said = answer.extensions.crocevia
    if said is None or (said.member, said.request_digest) != (member, request_digest):
        raise NodeMisbehavedError(f"member `{member}` gave data without a record of this request", member=member)
    return said
