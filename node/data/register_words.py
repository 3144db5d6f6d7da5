"""What registers call things, in Italian and English: stems by vocabulary type and field.

A phrase is a row of stems; a name has the phrase if, without separators and digits, it is these stems in this order,
each with any ending: `dat nasc` is in `DATA_NASCITA`, `DATANASC` and `dat_nasc`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "Citizen": (
        *("anagraf", "cittadin", "person", "soggett", "assistit", "utent", "alunn", "student", "resident", "popolaz"),
        *("citizen", "people", "patient", "pupil", "tsog", "tab person", "contribuent", "customer", "client"),
    ),
    "Residence": ("residenz", "residence", "domicil"),
    "Household": ("famigli", "nucle", "household", "famil"),
    "ContactPoint": ("recapit", "contatti utent", "contact point"),
    "ServiceCase": ("pratic", "procediment", "istanz", "case", "service case", "support case", "ticket"),
    "Interaction": ("contatt", "interaz", "interact", "accessi sportell"),
    "PublicService": ("servizi", "public service", "service"),
    "Channel": ("canal", "channel"),
    "LifeEvent": ("event vita", "life event"),
    "PublicOrganisation": ("ent", "amministraz", "pless", "scuol", "istitut", "school", "organi"),
    "Location": ("comun", "tab comun", "luogh", "locat", "municipal"),
    "HealthExemption": ("esenz", "exempt"),
    "Disability": ("invalidit", "disabil"),
    "Benefit": ("prestaz", "benefi", "tpre"),
    "Contribution": ("contribuz", "contribut", "tcon"),
    "Enrolment": ("iscriz", "enrol", "frequenz"),
    "SupportProgramme": ("progett", "interventi", "support", "programm"),
}
"""Tables by the type of their rows."""

FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Citizen": {
        "taxCode": ("cod fisc", "cd fis", "codice fisc", "cf", "tax code", "fiscal code"),
        "givenName": ("nom", "nome", "given name", "first name", "name"),
        "familyName": ("cogn", "family name", "last name", "surname"),
        "dateOfBirth": ("dat nasc", "dt nasc", "nascita", "birth", "dat birth", "date of birth", "dob", "born"),
        "sex": ("sess", "sex", "gender", "genere"),
        "citizenship": ("cittad", "citizenship", "nazional", "nationalit"),
        "maritalStatus": ("stato civ", "st civ", "marital"),
        "isee": ("isee", "im isee", "val isee", "imp isee"),
    },
    "Address": {
        "fullAddress": ("indirizz", "full address", "address"),
        "thoroughfare": ("via", "ind via", "street", "indirizz via", "toponimo"),
        "locatorDesignator": ("civ", "ind civ", "num civ", "n civ", "house number"),
        "postCode": ("cap", "ind cap", "post code", "zip", "postal code"),
        "postName": ("ind loc", "localit", "citta", "comun res", "city", "town"),
        "adminUnitL2": ("prov", "ind prov", "sigla prov", "province"),
    },
    "Residence": {
        "municipality": ("cod com", "comune resid", "municipality"),
        "since": ("dt iscr", "dat iscr", "resid dal", "dat decorr", "dt dec", "since"),
        "until": ("dt canc", "dat canc", "resid al", "dat fin", "dt fin"),
        "status": ("pos anag", "posizion", "stato anag"),
    },
    "Household": {"size": ("num comp", "n comp", "component", "size"), "kinship": ("cod par", "parentel", "kinship")},
    "ContactPoint": {
        "channel": ("tipo rec", "tip rec", "channel"),
        "email": ("email", "e mail", "mail", "pec"),
        "telephone": ("tel", "cell", "phone"),
        "preferred": ("fl pref", "prefer"),
        "language": ("lingu", "lang"),
    },
    "ServiceCase": {
        "title": ("oggett", "titol", "title", "subject"),
        "status": ("stat", "cod stat", "status"),
        "openedOn": ("dt aper", "dat aper", "dt ap", "apert", "dat pres", "dt pres", "opened"),
        "deadline": ("dt term", "termin", "scad", "dt scad", "dat scad", "deadline", "due"),
    },
    "Interaction": {
        "channel": ("canal", "channel"),
        "direction": ("vers", "direz", "direct"),
        "topic": ("argom", "topic"),
        "outcome": ("esit", "outcome"),
        "at": ("ts cont", "quando", "data ora", "timestamp", "happened"),
    },
    "PublicService": {
        "title": ("titol", "denom", "title"),
        "description": ("descr", "descriz"),
        "cost": ("cost", "tariff"),
    },
    "Channel": {"kind": ("tipo", "cod can"), "description": ("descr",), "openingHours": ("orar", "opening")},
    "LifeEvent": {"code": ("cod ev", "code"), "title": ("titol", "denom", "title")},
    "PublicOrganisation": {
        "prefLabel": ("denom", "ragion", "name", "label"),
        "classification": ("categ", "ordin", "tipo", "classif", "type"),
        "homepage": ("sit", "url", "homepage", "website"),
    },
    "Location": {
        "geographicName": ("denom", "comun", "desc comun", "name"),
        "geographicIdentifier": ("cod cat", "belfior", "cod com", "istat", "code"),
    },
    "HealthExemption": {
        "code": ("cod ese", "codice", "code"),
        "description": ("descr",),
        "validFrom": ("dal", "dt ini", "inizio", "valid from"),
        "validUntil": ("al", "dt fin", "fine", "valid until"),
    },
    "Disability": {
        "recognised": ("esit", "ricon", "recogn"),
        "percentage": ("perc", "percent"),
        "recognisedOn": ("aamm verb", "dt ric", "dat verb", "recognised on"),
    },
    "Benefit": {
        "kind": ("tip", "tp pre", "tipo prest", "kind"),
        "status": ("stat", "st pre", "status"),
        "amount": ("im mens", "import", "amount"),
        "validFrom": ("dt dec", "decorr", "dt ini", "valid from"),
        "validUntil": ("dt scad", "scad", "dt fin", "valid until"),
    },
    "Contribution": {
        "year": ("ann", "aa comp", "year"),
        "weeks": ("settim", "nr sett", "n sett", "weeks"),
        "employer": ("datore", "ds azi", "aziend", "rag soc", "employer"),
        "amount": ("import", "im vers", "amount"),
    },
    "Enrolment": {
        "schoolYear": ("anno sc", "anno scol", "as", "school year"),
        "grade": ("class", "grade"),
        "status": ("stat", "status"),
        "mealService": ("mens", "meal", "canteen"),
    },
    "SupportProgramme": {
        "kind": ("tip", "kind"),
        "status": ("stat", "status"),
        "startedOn": ("data iniz", "inizio", "dal", "started"),
        "endedOn": ("data fin", "fine", "al", "ended"),
        "weeklyHours": ("ore sett", "ore", "weekly hours"),
        "notes": ("note", "notes"),
    },
}
"""Columns by type and field."""

PSEUDONYM: Final = ("pseud", "chiave fed", "id fed")
"""The column that holds the person's pseudonym at this member."""

PROTECTED: Final = ("tutel", "fl tutel", "protett", "protected")
"""A mark on people whose whereabouts are not told."""


CODE_WORDS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "sex": (
        {"1": "male", "2": "female"},
        {"M": "male", "F": "female"},
        {"m": "male", "f": "female"},
        {"U": "male", "D": "female"},
    ),
}
"""What a field's codes mean where every register means the same by them."""


CODE_LISTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "maritalStatus": (
        ("celib|nubil|single|never", "single"),
        ("coniug|sposat|married", "married"),
        ("vedov|widow", "widowed"),
        ("divorz|liber|divorc", "divorced"),
    ),
    "sex": (("femmin|donn|female|wom", "female"), ("masch|uom|male|man", "male")),
}
"""The vocabulary's word for what a register's own list of codes calls something: the first pattern that is in it."""

SELF_EXPLAINING: Final = frozenset(
    ("adminUnitL2", "citizenship", "code", "geographicIdentifier", "grade", "language", "municipality", "postCode")
)
"""Fields whose short values are no codes of the register's own."""


_MARK: Final = re.compile(r"^(t|tb|tab|tbl|v|vw|dt|dat|scheda|archivio|cod|codice|cd|fl|flag|is|has)_")
_BIRTH: Final = re.compile("nasc|birth|born|dob")


def has_phrase(name: str, phrase: str) -> bool:
    """Say whether a name is made of a phrase's stems, after a mark such as `T_` or `COD_` if it has one.

    What is said of a birth is said of nothing else: `COD_COMUNE_NASCITA` is not where somebody lives.
    """
    written = name.lower()
    if _BIRTH.search(written) and not _BIRTH.search(phrase):
        return False
    names = (written, _MARK.sub("", written))
    return any(_pattern(phrase).fullmatch(re.sub(r"[^a-z]", "", each)) is not None for each in names)


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    stems = phrase.split()
    # Stems of one or two letters are abbreviations and have no other ending: `al` is not in `alunno`.
    return re.compile("".join(stem if len(stem) < 3 else f"{stem}[a-z]*" for stem in stems))  # noqa: PLR2004  # as said
