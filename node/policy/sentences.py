"""Rules as sentences that an officer reads, in Italian and English, made from the syntax tree (policy section 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from federation.contract.languages import Language
from node.policy.conditions import (
    FALSE,
    TRUE,
    And,
    Compare,
    Comparison,
    Condition,
    Consent,
    In,
    Literal,
    Meets,
    Name,
    Not,
    Or,
    SetLiteral,
    Unknown,
)
from node.policy.documents import Hides
from node.policy.forms import (
    AgeBand,
    AgeOver,
    Band,
    Clear,
    DateShift,
    Email,
    Form,
    Hash,
    Level,
    Month,
    Partial,
    Pseudonym,
    Redact,
    Round,
    Token,
    TopCode,
    Truncate,
    Verify,
    Year,
)
from node.policy.messages import Message, message, said

if TYPE_CHECKING:
    from node.policy.documents import Combination, GovernedField, Grant, Prohibition
    from node.policy.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class _Words:
    """Everything that differs between the languages, apart from names and forms."""

    conjunction: str
    disjunction: str
    negation: str
    true: str
    false: str
    holds: str
    fails: str
    comparisons: Mapping[Comparison, str]
    element: str
    meets: str
    unknown: str
    consent: Callable[[str], str]
    names: Mapping[str, str]
    attribute: str
    kinds: Mapping[str, str]


_WORDS: Final[Mapping[Language, _Words]] = {
    Language.ITALIAN: _Words(
        conjunction=" e ",
        disjunction=" oppure ",
        negation="non vale che {}",
        true="vero",
        false="falso",
        holds="vale «{}»",
        fails="non vale «{}»",
        comparisons={
            Comparison.EQ: "{} è {}",
            Comparison.NE: "{} non è {}",
            Comparison.LT: "{} è minore di {}",
            Comparison.LE: "{} è al massimo {}",
            Comparison.GT: "{} è maggiore di {}",
            Comparison.GE: "{} è almeno {}",
        },
        element="{} è tra {}",
        meets="{} e {} hanno un elemento in comune",
        unknown="un dato necessario manca",
        consent=lambda purpose: f"l'interessato ha dato un consenso valido per «{purpose}»",
        names={
            "requester.kind": "il tipo di ente richiedente",
            "requester.area": "il territorio di competenza del richiedente",
            "requester.basis": "le basi giuridiche del richiedente",
            "purpose": "la finalità",
            "today": "la data di oggi",
            "consent": "il consenso dell'interessato",
        },
        attribute="«{}»",
        kinds={
            "national": "enti nazionali",
            "region": "regioni",
            "municipality": "comuni",
            "school": "scuole",
            "health": "aziende sanitarie",
            "social": "enti del terzo settore",
            "statistics": "uffici di statistica",
        },
    ),
    Language.ENGLISH: _Words(
        conjunction=" and ",
        disjunction=" or ",
        negation="it is not the case that {}",
        true="true",
        false="false",
        holds='"{}" holds',
        fails='"{}" does not hold',
        comparisons={
            Comparison.EQ: "{} is {}",
            Comparison.NE: "{} is not {}",
            Comparison.LT: "{} is below {}",
            Comparison.LE: "{} is at most {}",
            Comparison.GT: "{} is above {}",
            Comparison.GE: "{} is at least {}",
        },
        element="{} is one of {}",
        meets="{} and {} have an element in common",
        unknown="something needed is missing",
        consent=lambda purpose: f'the citizen gave a valid consent for "{purpose}"',
        names={
            "requester.kind": "the kind of the requester",
            "requester.area": "the requester's territory",
            "requester.basis": "the requester's legal bases",
            "purpose": "the purpose",
            "today": "today's date",
            "consent": "the citizen's consent",
        },
        attribute='"{}"',
        kinds={
            "national": "national bodies",
            "region": "regions",
            "municipality": "municipalities",
            "school": "schools",
            "health": "health authorities",
            "social": "social cooperatives",
            "statistics": "statistical offices",
        },
    ),
}


def grant_sentence(grant: Grant, vocabulary: Vocabulary, language: Language) -> str:
    """Say a grant in one sentence."""
    words = _WORDS[language]
    parts = {
        "kinds": _list([words.kinds.get(kind, kind) for kind in grant.kinds], language),
        "purpose": purpose_phrase(grant.purpose, vocabulary, language),
        "fields": "; ".join(f"{name} ({form_phrase(form, language)})" for name, form in grant.see.items()),
        "rows": _clause(grant.rows, language),
        "consent": _consent_clause(grant, vocabulary, language) + _crowd_clause(grant, language),
        "basis": _list([*grant.basis], language, disjunctive=True),
        "basis9": "" if not grant.basis9 else _list([*grant.basis9], language, disjunctive=True),
        "first": grant.valid.first.isoformat(),
        "last": grant.valid.last.isoformat(),
        "law": grant.law,
        "retain": duration_phrase(grant.retain, language),
    }
    match language:
        case Language.ITALIAN:
            special = " (e {basis9} per le categorie particolari)" if grant.basis9 else ""
            text = (
                "Per «{purpose}», {kinds} vedono{rows}{consent}: {fields}. Base giuridica: {basis}"
                + special
                + ". Norma: {law}. Valido dal {first} al {last}; da cancellare dopo {retain}."
            )
        case Language.ENGLISH:
            special = " (and {basis9} for special categories)" if grant.basis9 else ""
            text = (
                'For "{purpose}", {kinds} see{rows}{consent}: {fields}. Legal basis: {basis}'
                + special
                + ". Law: {law}. Valid from {first} to {last}; to be deleted after {retain}."
            )
        case _:
            assert_never(language)
    return text.format(**parts)


def prohibition_sentence(rule: Prohibition, language: Language) -> str:
    """Say a prohibition in one sentence."""
    conditions = [part for part in (rule.rows, rule.when) if part != TRUE]
    where = _clause(conditions[0] if len(conditions) == 1 else And(tuple(conditions)) if conditions else TRUE, language)
    unless = "" if rule.unless == FALSE else condition_phrase(rule.unless, language)
    law = "" if rule.law is None else f" ({rule.law})"
    match language:
        case Language.ITALIAN:
            what = "la riga intera" if rule.hides is Hides.ROW else _list([*rule.fields], language)
            exception = f", salvo se {unless}" if unless else ""
            return f"Nessuno vede {what}{where}{exception}, nemmeno nel dubbio{law}."
        case Language.ENGLISH:
            what = "the whole row" if rule.hides is Hides.ROW else _list([*rule.fields], language)
            exception = f", unless {unless}" if unless else ""
            return f"Nobody sees {what}{where}{exception}, not even in doubt{law}."
        case _:
            assert_never(language)


def field_sentence(field: GovernedField, language: Language) -> str:
    """Say what a field may be used for without being seen, and what it is computed from."""
    inputs = _list([*field.computed_from], language)
    parts = [
        message("An exact value of {field} may name a person, one at a time and counted.", field=field.name)
        if field.exact_lookup
        else "",
        _computed(field, inputs) if inputs else "",
    ]
    return " ".join(said(part, language) for part in parts if part)


def _computed(field: GovernedField, inputs: str) -> Message:
    if field.declassified:
        return message(
            "{field} is computed from {inputs} and may show more of them than is seen of them ({law}).",
            field=field.name,
            inputs=inputs,
            law=field.declassified,
        )
    return message(
        "{field} is computed from {inputs} and shows no more of them than is seen of them.",
        field=field.name,
        inputs=inputs,
    )


def combination_sentence(rule: Combination, language: Language) -> str:
    """Say in one sentence which fields are kept apart, and from whom."""
    law = "" if rule.law is None else f" ({rule.law})"
    fields = _list([*rule.fields], language)
    kinds = _list([*rule.kinds], language, disjunctive=True)
    match language:
        case Language.ITALIAN:
            who = f"Nessun ente di tipo {kinds}" if kinds else "Nessun ente"
            return f"{who} conosce insieme {fields} dello stesso cittadino, nemmeno in momenti diversi{law}."
        case Language.ENGLISH:
            who = f"No administration of kind {kinds}" if kinds else "No administration"
            return f"{who} learns {fields} of one citizen together, not even at different times{law}."
        case _:
            assert_never(language)


def _clause(condition: Condition, language: Language) -> str:
    if condition == TRUE:
        return ""
    where = "dove" if language is Language.ITALIAN else "where"
    return f", {where} {condition_phrase(condition, language)}"


def _consent_clause(grant: Grant, vocabulary: Vocabulary, language: Language) -> str:
    if grant.consent is None:
        return ""
    purpose = purpose_phrase(grant.consent, vocabulary, language)
    match language:
        case Language.ITALIAN:
            return f", solo di chi ha dato il consenso per «{purpose}»"
        case Language.ENGLISH:
            return f', only of citizens who consented to "{purpose}"'
        case _:
            assert_never(language)


def _crowd_clause(grant: Grant, language: Language) -> str:
    alike = grant.alike
    if alike is None:
        return ""
    over = _list([*alike.over], language)
    told = message(", only where at least {persons} persons look alike in {fields}", persons=alike.persons, fields=over)
    return said(told, language)


def purpose_phrase(name: str, vocabulary: Vocabulary, language: Language) -> str:
    """Say a purpose; one that the vocabulary does not have, as of an older bundle, by its name."""
    purpose = vocabulary.purposes.get(name)
    if purpose is None:
        return name
    return purpose.italian if language is Language.ITALIAN else purpose.english


def condition_phrase(condition: Condition, language: Language) -> str:
    """Say a condition."""
    words = _WORDS[language]
    match condition:
        case Or(parts):
            return words.disjunction.join(_grouped(part, language) for part in parts)
        case And(parts):
            return words.conjunction.join(_grouped(part, language) for part in parts)
        case Name():
            return _holds(condition, language)
        case Not(Name() as name):
            return words.fails.format(_shown(name, language))
        case Not(operand):
            return words.negation.format(_grouped(operand, language))
        case Compare(Comparison.EQ, Name() as name, Literal(bool(value))):
            return _holds(name, language) if value else words.fails.format(_shown(name, language))
        case Compare(Comparison.NE, Name() as name, Literal(bool(value))):
            return words.fails.format(_shown(name, language)) if value else _holds(name, language)
        case Compare(operator, left, right):
            return words.comparisons[operator].format(_operand(left, language), _operand(right, language))
        case In(element, collection):
            return words.element.format(_operand(element, language), _operand(collection, language))
        case Meets(left, right):
            return words.meets.format(_operand(left, language), _operand(right, language))
        case Consent(purpose):
            return words.consent(purpose)
        case Unknown():
            return words.unknown
        case Literal() | SetLiteral():
            return _operand(condition, language)
        case _:
            assert_never(condition)


def _holds(name: Name, language: Language) -> str:
    return _WORDS[language].holds.format(_shown(name, language))


def _shown(name: Name, language: Language) -> str:
    return _WORDS[language].names.get(name.dotted) or name.attribute


def _grouped(condition: Condition, language: Language) -> str:
    text = condition_phrase(condition, language)
    return f"({text})" if isinstance(condition, (And, Or)) else text


def _operand(condition: Condition, language: Language) -> str:
    words = _WORDS[language]
    match condition:
        case Literal(bool(value)):
            return words.true if value else words.false
        case Literal(value):
            return f'"{value}"' if isinstance(value, str) else str(value)
        case SetLiteral(members):
            return _list([_operand(member, language) for member in members], language)
        case Name(dotted):
            return words.names.get(dotted) or words.attribute.format(condition.attribute)
        case _:
            return f"({condition_phrase(condition, language)})"


def kind_phrase(kind: str, language: Language) -> str:
    """Say a kind of administrations in the plural; one that the language has no word for by its name."""
    return _WORDS[language].kinds.get(kind, kind)


def form_phrase(form: Form, language: Language) -> str:
    """Say what a form shows."""
    italian = language is Language.ITALIAN
    match form:
        case Clear():
            return "in chiaro" if italian else "clear"
        case Verify():
            return "solo conferma di un valore fornito" if italian else "only whether a supplied value is right"
        case AgeOver(thresholds):
            years = _list([str(each) for each in thresholds], language, disjunctive=True)
            return said(message("only whether the age of {years} is reached", years=years), language)
        case Redact(text):
            return f"sostituito da «{text}»" if italian else f'replaced by "{text}"'
        case Partial(prefix, length, _):
            if prefix == 1:
                return f"primo carattere di {length}" if italian else f"first of {length} characters"
            return f"primi {prefix} caratteri di {length}" if italian else f"first {prefix} of {length} characters"
        case Email():
            return "posta mascherata" if italian else "masked address"
        case Year():
            return "solo l'anno" if italian else "only the year"
        case Month():
            return "solo anno e mese" if italian else "only year and month"
        case AgeBand():
            return "fascia di età di dieci anni" if italian else "ten-year band of age"
        case DateShift(days):
            return f"data spostata fino a {days} giorni" if italian else f"date shifted by up to {days} days"
        case Band(bounds):
            limits = ", ".join(format(bound, "f") for bound in bounds)
            return f"fascia con limiti {limits}" if italian else f"band with bounds {limits}"
        case Round(step):
            return f"arrotondato a {step}" if italian else f"rounded to {step}"
        case TopCode(limit):
            return f"al massimo {limit}" if italian else f"at most {limit}"
        case Truncate(level):
            names = {Level.PROVINCE: ("provincia", "province"), Level.REGION: ("regione", "region")}
            return f"solo {names[level][0]}" if italian else f"only the {names[level][1]}"
        case Hash():
            return "impronta con chiave" if italian else "keyed hash"
        case Pseudonym(scope) | Token(scope):
            noun = "pseudonimo" if italian else "pseudonym"
            shared = "" if scope is None else f" «{scope}»" if italian else f' "{scope}"'
            return noun + shared
        case _:
            assert_never(form)


_UNITS: Final[Mapping[Language, Mapping[str, tuple[str, str]]]] = {
    Language.ITALIAN: {
        "Y": ("anno", "anni"),
        "M": ("mese", "mesi"),
        "W": ("settimana", "settimane"),
        "D": ("giorno", "giorni"),
        "TH": ("ora", "ore"),
        "TM": ("minuto", "minuti"),
        "TS": ("secondo", "secondi"),
    },
    Language.ENGLISH: {
        "Y": ("year", "years"),
        "M": ("month", "months"),
        "W": ("week", "weeks"),
        "D": ("day", "days"),
        "TH": ("hour", "hours"),
        "TM": ("minute", "minutes"),
        "TS": ("second", "seconds"),
    },
}


def duration_phrase(duration: str, language: Language) -> str:
    """Say an ISO 8601 duration: `P1Y6M` is a year and six months."""
    days, _, hours = duration.removeprefix("P").partition("T")
    parts: list[str] = []
    for text, prefix in ((days, ""), (hours, "T")):
        number = ""
        for character in text:
            if character.isdigit():
                number += character
                continue
            one, many = _UNITS[language][prefix + character]
            parts.append(f"{int(number)} {one if int(number) == 1 else many}")
            number = ""
    return _list(parts, language)


def _list(parts: Sequence[str], language: Language, *, disjunctive: bool = False) -> str:
    """Join with commas and a last `e`, `o`, `and` or `or`."""
    if len(parts) <= 1:
        return "".join(parts)
    joint = {
        (Language.ITALIAN, False): "e",
        (Language.ITALIAN, True): "o",
        (Language.ENGLISH, False): "and",
        (Language.ENGLISH, True): "or",
    }[language, disjunctive]
    return f"{', '.join(parts[:-1])} {joint} {parts[-1]}"
