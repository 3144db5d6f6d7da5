"""The last door: no pseudonym of another domain leaves for a consumer.

Nodes answer `Citizen.id` with their own pseudonym. Before a response leaves, every such text in it is replaced by the
consumer's own pseudonym of the same citizen, or by null when the exchange refuses. The door looks at all strings of the
response rather than at the fields that should hold pseudonyms, so that a node that puts one elsewhere gains nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from federation.contract.errors import BadInputError
from federation.contract.identifiers import Pseudonym
from federation.gateway.pseudonyms import Translator

_PSEUDONYM = re.compile(rb'"(v1\.[a-z0-9-]{1,24}\.[a-z][a-z0-9_]{1,31}\.[A-Za-z0-9_-]+)"')


async def own_pseudonyms(response: bytes, translator: Translator) -> bytes:
    """Return the response (JSON bytes) with every pseudonym in the domain of the translator's consumer.

    Raises:
        ExchangeUnavailableError: the exchange does not answer.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for text in dict.fromkeys(_PSEUDONYM.findall(response)):
        pseudonym = text.decode()
        found[_domain(pseudonym)].append(pseudonym)
    found.pop(translator.consumer, None)
    if not found:
        return response
    own: dict[bytes, str | None] = {}
    for domain, pids in found.items():
        translated: Mapping[str, str | None] = await translator.into_own(domain, pids) if domain else {}
        own |= {pid.encode(): translated.get(pid) for pid in pids}
    return _PSEUDONYM.sub(lambda match: _quoted(own.get(match[1], match[1].decode())), response)


def shown_pseudonyms(response: bytes, consumer: str) -> list[str]:
    """Return every pseudonym in the consumer's domain that a response shows."""
    found = (text.decode() for text in dict.fromkeys(_PSEUDONYM.findall(response)))
    return [pseudonym for pseudonym in found if _domain(pseudonym) == consumer]


def _domain(text: str) -> str:
    """Return the domain the pseudonym belongs to, or nothing when the text only looks like one."""
    try:
        return Pseudonym.parse(text).member
    except BadInputError:
        return ""


def _quoted(pseudonym: str | None) -> bytes:
    return b"null" if pseudonym is None else b'"%b"' % pseudonym.encode()
