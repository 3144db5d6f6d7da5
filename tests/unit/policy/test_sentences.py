"""Rules as sentences, in Italian and English."""

from __future__ import annotations

import pytest

from federation.contract.languages import Language
from node.policy.condition_parser import parse_condition
from node.policy.conditions import UNKNOWN, Consent
from node.policy.forms import parse_form
from node.policy.sentences import (
    condition_phrase,
    duration_phrase,
    form_phrase,
    grant_sentence,
    prohibition_sentence,
)
from tests.support.policies import DEMO_MEMBERS, demo, example

IT, EN = Language.ITALIAN, Language.ENGLISH


def test_a_grant_is_one_sentence() -> None:
    bundle = example()
    notices = next(grant for grant in bundle.types["Citizen"].grants if grant.id == "notices")
    assert grant_sentence(notices, bundle.vocabulary, IT) == (
        "Per «Avvisi su servizi (facoltativi)», comuni vedono, solo di chi ha dato il consenso per «Avvisi su servizi "
        "(facoltativi)»: givenName (in chiaro); email (in chiaro). Base giuridica: 6.1.a. Norma: GDPR 6(1)(a). "
        "Valido dal 2026-01-01 al 2026-12-31; da cancellare dopo 1 anno."
    )
    emergency = next(grant for grant in bundle.types["Citizen"].grants if grant.id == "emergency")
    assert "Legal basis: 6.1.d (and 9.2.c for special categories)." in grant_sentence(emergency, bundle.vocabulary, EN)


def test_a_prohibition_is_one_sentence() -> None:
    protected, schools = example().types["Citizen"].prohibitions
    assert prohibition_sentence(protected, EN) == (
        'Nobody sees address, municipality and email, where "protectedPerson" holds, '
        'unless the kind of the requester is "health", not even in doubt (D.L. 93/2013).'
    )
    assert prohibition_sentence(schools, IT) == (
        'Nessuno vede taxCode e isee, dove il tipo di ente richiedente è "school", nemmeno nel dubbio.'
    )


PHRASES = {
    'row.age >= 18 && !(row.municipality in ["A", "B"])': (
        '«age» è almeno 18 e non vale che «municipality» è tra "A" e "B"'
    ),
    "row.protectedPerson == false || row.age != 3": "non vale «protectedPerson» oppure «age» non è 3",
    "!row.protectedPerson && consent": "non vale «protectedPerson» e vale «il consenso dell'interessato»",
    'any(requester.basis, ["6.1.a"]) && (row.age < 3 || row.age > 5)': (
        'le basi giuridiche del richiedente e "6.1.a" hanno un elemento in comune '
        "e («age» è minore di 3 oppure «age» è maggiore di 5)"
    ),
    "(row.age < 3) == true": "(«age» è minore di 3) è vero",
}


@pytest.mark.parametrize(("text", "phrase"), PHRASES.items())
def test_a_condition_is_a_phrase(text: str, phrase: str) -> None:
    bundle = example()
    condition = parse_condition(text, bundle.vocabulary.scope(bundle.types["Citizen"].attributes))
    assert condition_phrase(condition, IT) == phrase


def test_residuals_are_phrases_too() -> None:
    assert condition_phrase(Consent("notices"), EN) == 'the citizen gave a valid consent for "notices"'
    assert condition_phrase(UNKNOWN, IT) == "un dato necessario manca"


FORMS: list[object] = [
    "clear", "verify", {"age_over": [14, 18]}, {"age_over": [18]}, {"redact": "x"},
    {"partial": {"prefix": 1, "n": 3, "pad": "*"}}, "email", "year", "month",
    "age_band", {"band": [0, 1]}, {"round": 3}, {"top_code": 2}, {"truncate": "region"}, "hash", "pseudonym",
    {"token": {"scope": "joint"}}, {"date_shift": {"days": 3}},
]  # fmt: skip


@pytest.mark.parametrize("language", Language)
def test_every_form_has_its_own_phrase(language: Language) -> None:
    phrases = [form_phrase(parse_form(form), language) for form in FORMS]
    assert len(set(phrases)) == len(FORMS)


DURATIONS = {"P180D": "180 giorni", "P1Y6M": "1 anno e 6 mesi", "P2WT1H30M": "2 settimane, 1 ora e 30 minuti"}


@pytest.mark.parametrize(("duration", "phrase"), DURATIONS.items())
def test_a_duration_is_a_phrase(duration: str, phrase: str) -> None:
    assert duration_phrase(duration, IT) == phrase


@pytest.mark.parametrize("member", DEMO_MEMBERS)
@pytest.mark.parametrize("language", Language)
def test_every_rule_of_the_demo_can_be_said(member: str, language: Language) -> None:
    bundle = demo(member)
    for document in bundle.types.values():
        assert all(grant_sentence(grant, bundle.vocabulary, language).endswith(".") for grant in document.grants)
        assert all(prohibition_sentence(rule, language).endswith(".") for rule in document.prohibitions)
