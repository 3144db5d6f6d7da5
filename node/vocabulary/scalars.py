"""The scalars of the shared vocabulary: strict in both directions, canonical text inside.

A value that came in through `parse` and a value that goes out through `serialise` are both the canonical text of the
scalar, so that the data plane can compare and bind them without knowing their meaning.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal as Number
from typing import NewType
from urllib.parse import urlsplit

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, StringValueNode, ValueNode

from node.vocabulary.tax_code import is_tax_code

Banded = NewType("Banded", str)
Date = NewType("Date", str)
DateTime = NewType("DateTime", str)
Decimal = NewType("Decimal", str)
Duration = NewType("Duration", str)
Email = NewType("Email", str)
PartialDate = NewType("PartialDate", str)
Pseudonym = NewType("Pseudonym", str)
TaxCode = NewType("TaxCode", str)
Url = NewType("Url", str)

_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR_OR_MONTH = re.compile(r"(?!0000)[0-9]{4}(-(0[1-9]|1[0-2]))?")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
_BAND = re.compile(rf"\(,{_NUMBER}\)|\[{_NUMBER},({_NUMBER})?\)")
_AGE_BAND = re.compile(r"[0-9]0-[0-9]9|0-9|100\+")
_DURATION = re.compile(
    r"P(?=[0-9T])([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)"
)
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_EMAIL = re.compile(f"{_DOT_ATOM}@{_DOT_ATOM}")
_EMAIL_MAX = 254
_PSEUDONYM = re.compile(r"v1\.[a-z0-9-]{1,32}\.[a-z0-9_]{1,32}\.[A-Za-z0-9_-]{1,200}")
_URL_MAX = 2000


@dataclass(frozen=True, slots=True)
class ScalarTerm:
    """A scalar of the vocabulary.

    `canonical` returns the canonical text of a value, or None when the text is not a value of this scalar; `masked`
    tells the texts that only a mask makes, which leave a node but never enter one.
    """

    name: str
    python: object
    specified_by: str
    en: str
    it: str
    example: str
    canonical: Callable[[str], str | None]
    masked: re.Pattern[str] | None = None

    def parse(self, value: object) -> str:
        """Return the canonical text of a value supplied by a client.

        Raises:
            GraphQLError: the value is not a string or not of this scalar; the message never repeats it.
        """
        return self._checked(value)

    def parse_literal(self, node: ValueNode) -> str:
        """Return the canonical text of a value written in a document.

        Raises:
            GraphQLError: as for `parse`; numbers are refused, because exact decimals and codes are strings.
        """
        return self._checked(node.value if isinstance(node, StringValueNode) else None)

    def serialise(self, value: object) -> str:
        """Return the canonical text of a value that leaves the node.

        Raises:
            GraphQLError: as for `parse`: a register holding a malformed value shows nothing rather than that.
        """
        match value:
            case str() if self.masked is not None and self.masked.fullmatch(value):
                return value
            case datetime() | date():
                return self._checked(value.isoformat())
            case Number():
                return self._checked(f"{value:f}")
            case int() if not isinstance(value, bool):
                return self._checked(str(value))
            case _:
                return self._checked(value)

    def _checked(self, value: object) -> str:
        text = self.canonical(value) if isinstance(value, str) else None
        if text is None:
            raise GraphQLError(f"expected a value of scalar `{self.name}`, such as `{self.example}`")
        return text


def _date(text: str) -> str | None:
    if not _FULL_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _partial_date(text: str) -> str | None:
    return text if _YEAR_OR_MONTH.fullmatch(text) else _date(text)


def _date_time(text: str) -> str | None:
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # One spelling per instant; fractions of a second appear only when they are not zero.
    return instant.isoformat().replace("+00:00", "Z")


def _decimal(text: str) -> str | None:
    return text if _DECIMAL.fullmatch(text) else None


def _banded(text: str) -> str | None:
    return text if _DECIMAL.fullmatch(text) or _BAND.fullmatch(text) else None


def _duration(text: str) -> str | None:
    return text if _DURATION.fullmatch(text) else None


def _email(text: str) -> str | None:
    # RFC 5322 section 3.4.1, dot-atom on both sides; the masked form `x***@d***` is a dot-atom too.
    return text if len(text) <= _EMAIL_MAX and _EMAIL.fullmatch(text) else None


def _pseudonym(text: str) -> str | None:
    return text if _PSEUDONYM.fullmatch(text) else None


def _tax_code(text: str) -> str | None:
    upper = text.upper() if text.isascii() else text
    return upper if is_tax_code(upper) else None


def _url(text: str) -> str | None:
    if len(text) > _URL_MAX or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and host else None


SCALARS: tuple[ScalarTerm, ...] = (
    ScalarTerm(
        "Banded",
        Banded,
        "https://w3id.org/crocevia/scalars#Banded",
        "A number, or the label of the band it falls in: `18402.50` or `[15000,25000)`.",
        "Un numero, oppure l'etichetta della fascia in cui cade.",
        "[15000,25000)",
        _banded,
    ),
    ScalarTerm(
        "Date",
        Date,
        "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        "A calendar day, `yyyy-MM-dd`.",
        "Un giorno di calendario, `aaaa-MM-gg`.",
        "2026-11-22",
        _date,
    ),
    ScalarTerm(
        "DateTime",
        DateTime,
        "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        "An instant with its offset; always answered in UTC.",
        "Un istante con il suo fuso; la risposta è sempre in UTC.",
        "2026-11-22T09:30:00Z",
        _date_time,
    ),
    ScalarTerm(
        "Decimal",
        Decimal,
        "https://www.w3.org/TR/xmlschema11-2/#decimal",
        "An exact decimal number as text, used for money in euro.",
        "Un numero decimale esatto come testo, usato per importi in euro.",
        "1250.00",
        _decimal,
    ),
    ScalarTerm(
        "Duration",
        Duration,
        "https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
        "An ISO 8601 duration.",
        "Una durata ISO 8601.",
        "P30D",
        _duration,
    ),
    ScalarTerm(
        "Email",
        Email,
        "https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1",
        "An electronic mail address, clear or masked (`x***@d***`).",
        "Un indirizzo di posta elettronica, in chiaro o mascherato.",
        "anna@example.org",
        _email,
    ),
    ScalarTerm(
        "PartialDate",
        PartialDate,
        "https://www.loc.gov/standards/datetime/",
        "A date of known precision (EDTF level 0): `yyyy`, `yyyy-MM` or `yyyy-MM-dd`.",
        "Una data di precisione nota: `aaaa`, `aaaa-MM` o `aaaa-MM-gg`.",
        "1980-01",
        _partial_date,
        masked=_AGE_BAND,
    ),
    ScalarTerm(
        "Pseudonym",
        Pseudonym,
        "https://w3id.org/crocevia/scalars#Pseudonym",
        "An identifier of a subject that is valid for one member only: `v1.<suite>.<member>.<base64url>`.",
        "Un identificativo dell'interessato valido per un solo aderente.",
        "v1.siv.c_m999.q83vEg",
        _pseudonym,
    ),
    ScalarTerm(
        "TaxCode",
        TaxCode,
        "https://w3id.org/italia/onto/CPV/taxCode",
        "An Italian tax code with its check character: 16 characters, omocodia variants included, or "
        "11 digits when provisional.",
        "Un codice fiscale con il carattere di controllo: 16 caratteri, omocodie comprese, o 11 cifre se provvisorio.",
        "RSSMRA80A01H501U",
        _tax_code,
    ),
    ScalarTerm(
        "Url",
        Url,
        "https://url.spec.whatwg.org/",
        "An absolute http or https address.",
        "Un indirizzo http o https assoluto.",
        "https://www.comune.example/",
        _url,
    ),
)

BY_NAME: Mapping[str, ScalarTerm] = {scalar.name: scalar for scalar in SCALARS}


def bind_scalars(schema: GraphQLSchema) -> GraphQLSchema:
    """Give the vocabulary's scalars of a schema built from SDL their strict behaviour; return that schema."""
    for name, scalar in BY_NAME.items():
        declared = schema.get_type(name)
        if isinstance(declared, GraphQLScalarType):
            declared.coerce_input_value = scalar.parse
            declared.coerce_output_value = scalar.serialise
            # Without its own literal coercer a scalar built from SDL takes whatever a document holds.
            declared.coerce_input_literal = scalar.parse_literal
    return schema
