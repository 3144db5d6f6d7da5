"""Trusted documents of open mode: operations known by an id, and perhaps the only ones that are run.

The file is a JSON object of ids and documents, as build tools of clients write it. An id that begins with `sha256:`
must be the digest of its document (GraphQL over HTTP, appendix on persisted documents).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

from federation.contract.errors import BadInputError, ConfigurationError, PersistedDocumentError
from federation.contract.graphql_request import GraphQLRequest, strict_json

_DIGEST = "sha256:"


class Others(Enum):
    """Whether documents that are not in the file are run too."""

    RUN = "run"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """Documents by id."""

    by_id: Mapping[str, str] = field(default_factory=dict)
    others: Others = Others.RUN

    @classmethod
    def parse(cls, content: bytes, others: Others) -> TrustedDocuments:
        """Read the file.

        Raises:
            ConfigurationError: no JSON object of texts, or a digest that is not its document's.
        """
        try:
            found: Any = strict_json(content)
        except BadInputError as error:
            raise ConfigurationError(f"trusted documents: {error}") from error
        if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
            raise ConfigurationError("trusted documents must be a JSON object: {id: document}")
        for name, text in found.items():
            if name.startswith(_DIGEST) and name != _DIGEST + sha256(text.encode()).hexdigest():
                raise ConfigurationError(f"trusted document `{name}` is not the one of that digest")
        return cls(found, others)

    def document(self, request: GraphQLRequest) -> str:
        """Return the text that a request means.

        Raises:
            PersistedDocumentError: there is no document of this id, or only trusted documents are run.
        """
        if request.document_id is not None:
            text = self.by_id.get(request.document_id)
            if text is None:
                raise PersistedDocumentError("no trusted document of this id is known here")
            return text
        if self.others is Others.REFUSED:
            raise PersistedDocumentError("only trusted documents are run here: send `documentId` instead of `query`")
        return request.text
