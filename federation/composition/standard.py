"""The directives that GraphQL itself and the link specification define, for every schema."""

from __future__ import annotations

from functools import cache

from graphql import parse

from federation.composition.model import Directive, read_model

_DEFINITIONS = """
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported") on
  | FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @core(feature: String!, as: String, for: core__Purpose) repeatable on SCHEMA
"""


@cache
def standard_directives() -> dict[str, Directive]:
    """Return the definitions by name."""
    return dict(read_model(parse(_DEFINITIONS, no_location=True)).directives)
