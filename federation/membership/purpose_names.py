"""What purposes are called, in the words that citizens read: taken from the vocabulary that policies are written in."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from federation.contract.errors import BadInputError
from federation.contract.languages import Language


class _Named(msgspec.Struct, frozen=True):
    """A purpose as the vocabulary has it; what else it says (parent, IRI) is for policies."""

    it: str
    en: str


class _Vocabulary(msgspec.Struct, frozen=True):
    purposes: dict[str, _Named]


def read_purpose_names(content: bytes) -> dict[str, dict[str, str]]:
    """Return the names of purposes by id and language from a policy vocabulary (`policies/vocabulary.yaml`).

    Raises:
        BadInputError: not YAML, no `purposes`, or a purpose without its name in a language.
    """
    try:
        read: Any = yaml.safe_load(content)
        vocabulary = msgspec.convert(read, _Vocabulary)
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInputError(f"expected `purposes:`, each with its names `it` and `en`: {error}") from error
    return {
        purpose: {language.value: getattr(named, language) for language in Language}
        for purpose, named in vocabulary.purposes.items()
    }
