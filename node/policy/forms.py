"""Disclosure forms: how a field may be seen, with their arguments and their partial order (policy section 4).

    clear
      |  verify, age_over, and every mask; inside a family the finer dominates:
      |    age_over A > age_over B, when B's thresholds are a subset of A's
      |    month > year        truncate province > truncate region
      |    band B > band A, when A's bounds are a subset of B's
      |    partial p > partial q, when p's prefix is longer and `n`, `pad` are the same
    redact "text"              two different texts are incomparable
      |
    (deny)                     no form: the absence of a grant

All other pairs are incomparable. What a mask does to a value is in `masks` and, where a key is needed, `keyed_masks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias, assert_never

from typing_extensions import TypeIs

from federation.contract.governed import MATCHES, REACHED
from node.policy.errors import FormError, nearest
from node.policy.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_LENGTH: Final = 256
"""Characters of a partial's fixed length or of a redact text."""
OLDEST: Final = 99
"""The largest threshold of `age_over`: two digits, as in ISO/IEC 18013-5, `age_over_NN`."""
MOST_THRESHOLDS: Final = 5
"""Thresholds of one `age_over`; with many, the answers together would be the age."""


class FormName(StrEnum):
    """The name by which documents, tests and answers call a form."""

    CLEAR = "clear"
    VERIFY = "verify"
    AGE_OVER = "age_over"
    REDACT = "redact"
    PARTIAL = "partial"
    EMAIL = "email"
    YEAR = "year"
    MONTH = "month"
    AGE_BAND = "age_band"
    DATE_SHIFT = "date_shift"
    BAND = "band"
    ROUND = "round"
    TOP_CODE = "top_code"
    TRUNCATE = "truncate"
    HASH = "hash"
    PSEUDONYM = "pseudonym"
    TOKEN = "token"  # noqa: S105  # the name of a form, not a secret


class Level(StrEnum):
    """How much of a postal or ISTAT code stays."""

    PROVINCE = "province"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Clear:
    """The value as it is."""

    name: ClassVar[FormName] = FormName.CLEAR


@dataclass(frozen=True, slots=True)
class Verify:
    """Not the value, but whether a value that the requester supplies is the same."""

    name: ClassVar[FormName] = FormName.VERIFY


@dataclass(frozen=True, slots=True)
class AgeOver:
    """Not the date of birth, but whether its person has completed a number of years, for the thresholds only."""

    thresholds: tuple[int, ...]
    name: ClassVar[FormName] = FormName.AGE_OVER


@dataclass(frozen=True, slots=True)
class Redact:
    """A constant text instead of the value."""

    text: str
    name: ClassVar[FormName] = FormName.REDACT


@dataclass(frozen=True, slots=True)
class Partial:
    """The first `prefix` characters, then `pad` up to `length` characters, so that the true length stays hidden."""

    prefix: int
    length: int
    pad: str
    name: ClassVar[FormName] = FormName.PARTIAL


@dataclass(frozen=True, slots=True)
class Email:
    """`a***@e***`: the first characters of mailbox and domain."""

    name: ClassVar[FormName] = FormName.EMAIL


@dataclass(frozen=True, slots=True)
class Year:
    """A date's year."""

    name: ClassVar[FormName] = FormName.YEAR


@dataclass(frozen=True, slots=True)
class Month:
    """A date's year and month."""

    name: ClassVar[FormName] = FormName.MONTH


@dataclass(frozen=True, slots=True)
class AgeBand:
    """The ten-year band of the age that a date of birth gives today."""

    name: ClassVar[FormName] = FormName.AGE_BAND


@dataclass(frozen=True, slots=True)
class DateShift:
    """A date moved by at most `days`, the same for all dates of one subject; needs a key."""

    days: int
    name: ClassVar[FormName] = FormName.DATE_SHIFT


@dataclass(frozen=True, slots=True)
class Band:
    """The interval between two bounds in which a number lies."""

    bounds: tuple[Decimal, ...]
    name: ClassVar[FormName] = FormName.BAND


@dataclass(frozen=True, slots=True)
class Round:
    """A number rounded to a multiple of `step`."""

    step: int
    name: ClassVar[FormName] = FormName.ROUND


@dataclass(frozen=True, slots=True)
class TopCode:
    """A number, or `limit` if it is larger."""

    limit: int
    name: ClassVar[FormName] = FormName.TOP_CODE


@dataclass(frozen=True, slots=True)
class Truncate:
    """The province or region of a postal or ISTAT code."""

    level: Level
    name: ClassVar[FormName] = FormName.TRUNCATE


@dataclass(frozen=True, slots=True)
class Hash:
    """A keyed hash of the value."""

    name: ClassVar[FormName] = FormName.HASH


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """An identifier that is stable per consumer, purpose and epoch, or per named shared scope; needs a key."""

    scope: str | None = None
    name: ClassVar[FormName] = FormName.PSEUDONYM


@dataclass(frozen=True, slots=True)
class Token:
    """An identifier that this node alone can resolve again; needs a key."""

    scope: str | None = None
    name: ClassVar[FormName] = FormName.TOKEN


Form: TypeAlias = (
    Clear
    | Verify
    | AgeOver
    | Redact
    | Partial
    | Email
    | Year
    | Month
    | AgeBand
    | DateShift
    | Band
    | Round
    | TopCode
    | Truncate
    | Hash
    | Pseudonym
    | Token
)

CLEAR: Final = Clear()
VERIFY: Final = Verify()

QUESTIONS: Final[Mapping[FormName, str]] = {FormName.VERIFY: MATCHES, FormName.AGE_OVER: REACHED}
"""Forms that show nothing of the field itself, and answer a question about its value: what ends the question's name."""
PREDICATES: Final = frozenset(QUESTIONS)

KEYED: Final = frozenset({FormName.PSEUDONYM, FormName.TOKEN, FormName.HASH, FormName.DATE_SHIFT})
"""Forms that run in the node process after projection, because keys never appear in SQL (keyed-mask rule)."""


# --- reading and writing ----------------------------------------------------------------------------------------------


def parse_form(written: object) -> Form:
    """Read a form as a policy document writes it: a name, or a map of one name to its arguments.

    Raises:
        FormError: unknown name, missing or wrong arguments; the message says what is expected.
    """
    name, arguments = _name_and_arguments(written)
    place = () if isinstance(written, str) else (name,)
    if name == "deny":
        raise FormError(message("`deny` is never written: leave the field out of `see`"), *place)
    if name == "noise":
        raise FormError(message("`noise` is written under `aggregates`, not under `see`"), *place)
    try:
        known = FormName(name)
    except ValueError:
        told = message("form `{name}` does not exist{nearest}", name=name, nearest=nearest(name, FormName))
        raise FormError(told, *place) from None
    return _READERS[known](known, arguments)


def _name_and_arguments(written: object) -> tuple[str, object]:
    if isinstance(written, str):
        return written, None
    if isinstance(written, Mapping) and len(written) == 1:
        [(name, arguments)] = written.items()
        if isinstance(name, str):
            return name, arguments
    raise FormError(message("expected a form such as `clear`, or one with arguments such as `{{band: [0, 10000]}}`"))


def write_form(form: Form) -> object:
    """Return the form as `parse_form` reads it: `parse_form(write_form(f)) == f`."""
    match form:
        case Clear() | Verify() | Email() | Year() | Month() | AgeBand() | Hash():
            return str(form.name)
        case AgeOver(thresholds):
            return {"age_over": list(thresholds)}
        case Redact(text):
            return {"redact": text}
        case Partial(prefix, length, pad):
            return {"partial": {"prefix": prefix, "n": length, "pad": pad}}
        case DateShift(days):
            return {"date_shift": {"days": days}}
        case Band(bounds):
            return {"band": [int(bound) if bound == int(bound) else float(bound) for bound in bounds]}
        case Round(step):
            return {"round": step}
        case TopCode(limit):
            return {"top_code": limit}
        case Truncate(level):
            return {"truncate": str(level)}
        case Pseudonym(scope) | Token(scope):
            return str(form.name) if scope is None else {str(form.name): {"scope": scope}}
        case _:
            assert_never(form)


def form_text(form: Form | None) -> str:
    """Return a form on one line, as matrices and reports show it: `band[0,9360,15000]`, `deny`."""
    if form is None:
        return "deny"
    written = write_form(form)
    if isinstance(written, str):
        return written
    assert isinstance(written, dict)
    [(name, arguments)] = written.items()
    return f"{name}{_arguments_text(arguments)}"


def _arguments_text(arguments: object) -> str:
    match arguments:
        case list():
            return f"[{','.join(str(argument) for argument in arguments)}]"
        case dict():
            return f"({','.join(f'{key}={value}' for key, value in arguments.items())})"
        case _:
            return f"({arguments})"


def _bare(form: Form) -> Callable[[FormName, object], Form]:
    def read(name: FormName, arguments: object) -> Form:
        if arguments is not None:
            raise FormError(message("`{name}` takes no arguments", name=name))
        return form

    return read


def _redact(_name: FormName, arguments: object) -> Form:
    if not isinstance(arguments, str) or len(arguments) > MAX_LENGTH:
        raise FormError(
            message(
                '`redact` needs the text to show, at most {most_length} characters: `{{redact: "riservato"}}`',
                most_length=MAX_LENGTH,
            )
        )
    return Redact(arguments)


def _age_over(_name: FormName, arguments: object) -> Form:
    if not isinstance(arguments, list) or not 0 < len(arguments) <= MOST_THRESHOLDS:
        raise FormError(
            message("`age_over` needs a list of 1 to {most} thresholds: `{{age_over: [14, 18]}}`", most=MOST_THRESHOLDS)
        )
    if not all(_is_count(years) and 1 <= years <= OLDEST for years in arguments):
        raise FormError(message("`age_over` needs whole years from 1 to {oldest}", oldest=OLDEST))
    if any(lower >= upper for lower, upper in pairwise(arguments)):
        raise FormError(message("`age_over` needs increasing thresholds"))
    return AgeOver(tuple(arguments))


def _partial(_name: FormName, arguments: object) -> Form:
    found = _keys("partial", arguments, ("prefix", "n", "pad"))
    prefix, length, pad = found["prefix"], found["n"], found["pad"]
    if not _is_count(prefix) or not _is_count(length) or not isinstance(pad, str) or len(pad) != 1:
        raise FormError(
            message('`partial` needs counts and one padding character: `{{partial: {{prefix: 3, n: 8, pad: "*"}}}}`')
        )
    if not prefix < length <= MAX_LENGTH:
        raise FormError(
            message("`partial` needs a `prefix` below `n`, and `n` at most {most_length}", most_length=MAX_LENGTH)
        )
    return Partial(prefix, length, pad)


def _date_shift(_name: FormName, arguments: object) -> Form:
    days = _keys("date_shift", arguments, ("days",))["days"]
    if not _is_count(days) or not 0 < days <= 3_650:  # noqa: PLR2004  # ten years: more is a fiction, not a mask
        raise FormError(message("`date_shift` needs `days` from 1 to 3650: `{{date_shift: {{days: 30}}}}`"))
    return DateShift(days)


def _band(_name: FormName, arguments: object) -> Form:
    if not isinstance(arguments, list) or not arguments or not all(_is_number(bound) for bound in arguments):
        raise FormError(message("`band` needs a list of numbers: `{{band: [0, 9360, 15000]}}`"))
    bounds = tuple(Decimal(str(bound)) for bound in arguments)
    if not all(bound.is_finite() for bound in bounds):
        raise FormError(message("`band` needs finite bounds"))
    if any(lower >= upper for lower, upper in pairwise(bounds)):
        raise FormError(message("`band` needs increasing bounds"))
    return Band(bounds)


def _round(_name: FormName, arguments: object) -> Form:
    if not _is_count(arguments) or arguments == 0:
        raise FormError(message("`round` needs a whole number above 0: `{{round: 10}}`"))
    return Round(arguments)


def _top_code(_name: FormName, arguments: object) -> Form:
    if not _is_count(arguments):
        raise FormError(message("`top_code` needs a whole number: `{{top_code: 100000}}`"))
    return TopCode(arguments)


def _truncate(_name: FormName, arguments: object) -> Form:
    if arguments not in tuple(Level):
        raise FormError(message("`truncate` needs `province` or `region`: `{{truncate: province}}`"))
    return Truncate(Level(str(arguments)))


def _scoped(build: type[Pseudonym | Token]) -> Callable[[FormName, object], Form]:
    def read(name: FormName, arguments: object) -> Form:
        if arguments is None:
            return build()
        scope = _keys(name, arguments, ("scope",))["scope"]
        if not isinstance(scope, str) or not scope:
            raise FormError(message("`{name}` needs a name as its scope: `{{{name}: {{scope: name}}}}`", name=name))
        return build(scope)

    return read


def _keys(name: str, arguments: object, expected: Sequence[str]) -> Mapping[str, object]:
    if isinstance(arguments, Mapping):
        for key in arguments:
            if key not in expected:
                told = message(
                    "key `{key}` is unknown in {where}{nearest}",
                    key=key,
                    where=f"`{name}`",
                    nearest=nearest(key, expected),
                )
                raise FormError(told, name, key)
    if not isinstance(arguments, Mapping) or set(arguments) != set(expected):
        names = ", ".join(f"`{key}`" for key in expected)
        raise FormError(message("`{name}` needs exactly: {names}", name=name, names=names), name)
    return arguments


def _is_count(value: object) -> TypeIs[int]:
    return type(value) is int and 0 <= value < 2**53


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


_READERS: Final[Mapping[FormName, Callable[[FormName, object], Form]]] = {
    FormName.CLEAR: _bare(CLEAR),
    FormName.VERIFY: _bare(VERIFY),
    FormName.AGE_OVER: _age_over,
    FormName.REDACT: _redact,
    FormName.PARTIAL: _partial,
    FormName.EMAIL: _bare(Email()),
    FormName.YEAR: _bare(Year()),
    FormName.MONTH: _bare(Month()),
    FormName.AGE_BAND: _bare(AgeBand()),
    FormName.DATE_SHIFT: _date_shift,
    FormName.BAND: _band,
    FormName.ROUND: _round,
    FormName.TOP_CODE: _top_code,
    FormName.TRUNCATE: _truncate,
    FormName.HASH: _bare(Hash()),
    FormName.PSEUDONYM: _scoped(Pseudonym),
    FormName.TOKEN: _scoped(Token),
}


# --- order ------------------------------------------------------------------------------------------------------------


def discloses_at_least(form: Form, floor: Form) -> bool:
    """Say whether `form` shows as much as `floor` or more."""
    match form, floor:
        case (Clear(), _):
            return True
        case (Redact(), _):
            return form == floor
        case (_, Redact()):
            return True
        case (Month(), Year()):
            return True
        case (Truncate(Level.PROVINCE), Truncate(Level.REGION)):
            return True
        case (Band(finer), Band(coarser)) | (AgeOver(finer), AgeOver(coarser)):
            return set(coarser) <= set(finer)
        case (Partial(longer, length, pad), Partial(shorter, other_length, other_pad)):
            return (length, pad) == (other_length, other_pad) and shorter <= longer
        case _:
            return form == floor


def comparable(one: Form, other: Form) -> bool:
    """Say whether one of two forms shows at least as much as the other (R10)."""
    return discloses_at_least(one, other) or discloses_at_least(other, one)


def meet(forms: Iterable[Form | None]) -> Form | None:
    """Return the form that shows no more than any of `forms` (R31): the least of a chain, else nothing at all."""
    least: Form | None = CLEAR
    for form in forms:
        if form is None or least is None:
            return None
        if discloses_at_least(least, form):
            least = form
        elif not discloses_at_least(form, least):
            return None
    return least


def form_of_question(name: str) -> FormName | None:
    """Return the form by which a field that asks about another is answered, such as `taxCodeMatches`; else None."""
    return next((form for form, ending in QUESTIONS.items() if name.endswith(ending)), None)


def most_disclosing_first(forms: Sequence[Form]) -> list[int]:
    """Return the indices of `forms` so that none stands after one that shows less; ties keep their order."""
    distinct = set(forms)
    above = {form: sum(discloses_at_least(other, form) for other in distinct) for form in distinct}
    return sorted(range(len(forms)), key=lambda index: above[forms[index]])
