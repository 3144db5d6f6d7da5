"""Trusted documents: under an agreement that lists operations, nothing else is asked.

Their texts are terms of the agreement: its parties signed them, and everybody reads them in the signed member list. A
consumer sends a text, or its id: the SHA-256 of the text, so that a signature over the id covers the text. Gateway and
nodes take the text from their own member list and neither from the other (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from federation.contract.canonical import sha256_digest
from federation.contract.errors import PersistedDocumentError
from federation.contract.graphql_request import GraphQLRequest
from federation.contract.members import Agreement


def document_id(text: str) -> str:
    """Return the id of a document, as `sha256:…` (GraphQL over HTTP, appendix on persisted documents)."""
    return sha256_digest(text.encode())


def is_document_id(text: str) -> bool:
    """Tell an id from a document, which cannot begin so."""
    return text.startswith("sha256:")


def trusted(asked: GraphQLRequest, agreement: Agreement) -> GraphQLRequest:
    """Return a request with the text of its document.

    Raises:
        PersistedDocumentError: the agreement lists documents and this is none of them, or lists none and an id is sent.
    """
    if not agreement.documents:
        if asked.query is None:
            raise PersistedDocumentError(f"agreement `{agreement.id}` lists no documents: send `query`")
        return asked
    known = _texts(agreement)
    text = known.get(asked.document_id or document_id(asked.query or ""))
    if text is None:
        raise PersistedDocumentError(
            f"agreement `{agreement.id}` is for the {len(known)} documents that it lists, and this is none of them"
        )
    return replace(asked, query=text, document_id=None)


@lru_cache
def _texts(agreement: Agreement) -> Mapping[str, str]:
    return {document_id(text): text for text in agreement.documents}
