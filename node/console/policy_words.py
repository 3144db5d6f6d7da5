"""What `prove`, `diff` and `replay` say to officers, in Italian and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from federation.contract.languages import Language
from node.policy.forms import Form, form_text
from node.policy.sentences import form_phrase, kind_phrase, purpose_phrase

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.conditions import Value
    from node.policy.differences import Change
    from node.policy.proving import Counterexample
    from node.policy.requesters import Requester


def counterexample_sentence(found: Counterexample, type_name: str, bundle: Bundle, language: Language) -> str:
    """Say in what situation an invariant is broken, and by which rule."""
    where = situation_phrase(found.requester, found.day, found.row, found.consent, language)
    kind, purpose = (
        kind_phrase(found.requester.kind, language),
        purpose_phrase(found.purpose, bundle.vocabulary, language),
    )
    shown = form_phrase(found.form, language)
    if language is Language.ITALIAN:
        who = f"da {kind} per «{purpose}», per la regola `{found.rule}`"
        return f"{type_name}.{found.field} si vede ({shown}) {who}: {where}"
    return f"{type_name}.{found.field} is shown ({shown}) to {kind} for {purpose}, by rule `{found.rule}`: {where}"


def change_sentence(change: Change, fields: Sequence[str], bundle: Bundle, language: Language) -> str:
    """Say who gains or loses what, of fields for which everything else is the same."""
    kind, purpose = (
        kind_phrase(change.requester.kind, language),
        purpose_phrase(change.purpose, bundle.vocabulary, language),
    )
    what = (
        f"{change.type_name}.{', '.join(fields)}: {_shown(change.before, language)} → {_shown(change.after, language)}"
    )
    if language is Language.ITALIAN:
        return f"{kind}, per «{purpose}»: {what}"
    return f"{kind}, for {purpose}: {what}"


def situation_phrase(
    requester: Requester,
    day: object,
    row: Mapping[str, Value | None],
    consent: bool | None,  # noqa: FBT001  # a truth
    language: Language,
) -> str:
    """Say a situation: the first one found, as an example."""
    italian = language is Language.ITALIAN
    basis = ", ".join(sorted(requester.basis)) or ("nessuna" if italian else "none")
    attributes = ", ".join(f"{name} = {value_text(value)}" for name, value in row.items())
    parts = [
        f"{'basi' if italian else 'bases'} {basis}",
        f"{'territorio' if italian else 'area'} {value_text(requester.area)}",
        f"{'il' if italian else 'on'} {day}",
        attributes or ("qualunque riga" if italian else "any row"),
    ]
    if consent is not None:
        given = ("dato" if consent else "non dato") if italian else ("given" if consent else "not given")
        parts.append(f"{'consenso' if italian else 'consent'} {given}")
    return ", ".join(parts)


def value_text(value: object) -> str:
    """Write a value as conditions do."""
    match value:
        case None:
            return "null"
        case frozenset():
            return f"[{', '.join(sorted(str(member) for member in value))}]"
        case str():
            return f'"{value}"'.replace("\0", "\\0")
        case _:
            return str(value).lower()


def _shown(form: Form | None, language: Language) -> str:
    if form is None:
        return "negato" if language is Language.ITALIAN else "denied"
    return f"{form_phrase(form, language)} ({form_text(form)})"
