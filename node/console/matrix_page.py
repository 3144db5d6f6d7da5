"""The access matrix as a page that an officer prints or sends: who sees which field in which form, by colour.

One file without scripts or addresses, so that it opens anywhere and asks nobody. What a cell holds is what `matrix`
holds (`node.policy.matrix`); under the table of a type stand its rules as sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, select_autoescape

from federation.contract.languages import Language
from node.console.policy_output import sentences_of
from node.policy.forms import PREDICATES, Form, FormName, form_text, most_disclosing_first
from node.policy.matrix import possible_forms
from node.policy.messages import message, said
from node.policy.sentences import form_phrase, kind_phrase, purpose_phrase

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.documents import TypeDocument

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)

_NAMELESS: Final = frozenset({FormName.PSEUDONYM, FormName.TOKEN, FormName.HASH})
"""Forms that give a handle in place of an identifier."""

_WORDS: Final = {
    "title": message("Who sees what"),
    "kind": message("kind"),
    "purpose": message("purpose"),
    "rules": message("The rules, one by one"),
    "clear": message("in clear"),
    "masked": message("masked"),
    "nameless": message("as a pseudonym, token or hash"),
    "answered": message("only yes or no to a question"),
    "denied": message("denied"),
    "depends": message("depends on the row or on a consent"),
    "art9": message("special category (GDPR art. 9)"),
    "nobody": message("Nobody sees anything of this type."),
}


def matrix_page(bundles: Iterable[tuple[Path, Bundle]], lang: Language) -> str:
    """Return the page of several bundles, each under the name of its folder."""
    shown = [
        {
            "name": folder.resolve().name,
            "digest": bundle.digest,
            "types": [_type(bundle, document, lang) for _, document in sorted(bundle.types.items())],
        }
        for folder, bundle in bundles
    ]
    words = {name: said(text, lang) for name, text in _WORDS.items()}
    return _TEMPLATES.get_template("matrix.html").render(bundles=shown, words=words, lang=lang.value)


def _type(bundle: Bundle, document: TypeDocument, lang: Language) -> dict[str, Any]:
    vocabulary = bundle.vocabulary
    rows = [
        {
            "kind": kind_phrase(kind, lang),
            "purpose": purpose_phrase(purpose, vocabulary, lang),
            "cells": [_cell(forms[name], lang) for name in document.fields],
        }
        for kind in vocabulary.kinds
        for purpose in sorted(vocabulary.purposes)
        if any((forms := possible_forms(bundle, document, kind, purpose)).values())
    ]
    fields = [_field(name, document, lang) for name in document.fields]
    return {"name": document.name, "fields": fields, "rows": rows, "rules": list(sentences_of(bundle, document, lang))}


def _field(name: str, document: TypeDocument, lang: Language) -> dict[str, Any]:
    category = document.fields[name].category
    label = category.italian if lang is Language.ITALIAN else category.english
    return {"name": name, "category": label, "art9": category.art9}


def _cell(forms: Mapping[Form, bool], lang: Language) -> dict[str, Any]:
    found = sorted(forms, key=form_text)
    ordered = [found[index] for index in most_disclosing_first(found)]
    if not ordered:
        return {"look": "denied"}
    return {
        "look": _look(ordered),
        "some": all(forms.values()),
        "short": " ".join(str(form.name) for form in ordered),
        "whole": "; ".join(form_phrase(form, lang) for form in ordered),
    }


def _look(ordered: Sequence[Form]) -> str:
    """Name a cell's colour: that of the most a requester may receive."""
    match ordered[0].name:
        case FormName.CLEAR:
            return "clear"
        case name if name in PREDICATES:
            return "answered"
        case name if name in _NAMELESS:
            return "nameless"
        case _:
            return "masked"
