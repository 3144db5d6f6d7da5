"""What registers call things, in Italian and English: stems by vocabulary type and field.

A phrase is a row of stems; a name has the phrase if its words are these stems in this order, each with any ending:
`dat nasc` is in `DATA_NASCITA`, `dataNascita`, `DATA_DI_NASCITA`, `DATANASC` and `dat_nasc`. A stem that ends in a
point has no other ending: `al.` is not in `alunno`, `cap.` not in `capelli`. An ending never runs over the next word:
an `indirizzo_email` is no address.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "Citizen": (
        *("anagraf", "cittadin", "person", "soggett", "assistit", "utent", "alunn", "student", "resident", "popolaz"),
        *("citizen", "people", "patient", "pupil", "tsog", "contribuent", "customer", "client", "paziente", "pazienti"),
        *("user.", "users.", "user account", "beneficiar", "richiedent", "individual", "partner", "party.", "parties."),
    ),
    "Residence": ("residenz", "residence", "domicil", "indirizz", "address."),
    "Household": ("famigli", "nucle", "household", "famil", "fam."),
    "ContactPoint": (
        "recapit",
        "contatti utent",
        "contact point",
        "contatti",
        "contatto",
        "email addr",
        "person phone",
    ),
    "ServiceCase": (
        *("pratic", "procediment", "istanz", "case.", "cases.", "service case", "support case", "ticket", "domand"),
        *("richiest", "segnalaz", "problem", "issue", "fascicol"),
    ),
    "Interaction": ("contatt", "interaz", "interact", "accessi sportell"),
    "PublicService": ("servizi", "public service", "service"),
    "Channel": ("canal", "channel"),
    "LifeEvent": ("event vita", "life event"),
    "PublicOrganisation": (
        *("ente.", "enti.", "amministraz", "pless", "scuol", "istitut", "school", "organi", "ufficio.", "uffici."),
        *("agenc", "body.", "bodies.", "department"),
    ),
    "Location": ("comun", "luogh", "locat", "municipal", "city.", "cities."),
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
        "taxCode": ("cod fisc", "cd fis", "codice fisc", "cf.", "c fisc", "tax code", "fiscal code"),
        "givenName": ("nom.", "nome.", "nome sogg", "given name", "first name", "fore name", "name."),
        "familyName": ("cogn", "family name", "last name", "surname"),
        "dateOfBirth": (
            *("dat nasc", "dt nasc", "d nasc", "nascita", "birth", "birth dat", "dat birth", "date of birth", "dob."),
            *("born", "birth day", "nato il"),
        ),
        "sex": ("sess", "sex", "gender", "genere"),
        "citizenship": ("cittadinanz", "citizenship", "nazional", "nationalit"),
        "maritalStatus": ("stato civ", "st civ", "stat civ", "marital", "marital stat", "civil stat"),
        "isee": ("isee", "im isee", "val isee", "imp isee"),
    },
    "Address": {
        "fullAddress": ("indirizz", "indirizz resid", "full address", "address.", "street address", "address line"),
        "thoroughfare": (
            "via.",
            "ind via.",
            "street.",
            "street name",
            "indirizz via.",
            "toponimo",
            "area.",
            "nom via.",
        ),
        "locatorDesignator": ("civ", "ind civ", "num civ", "n civ", "house num", "street num", "civic num"),
        "postCode": ("cap.", "ind cap.", "cap resid", "post code", "zip", "zip code", "postal code"),
        "postName": ("ind loc", "localit", "citta.", "city.", "town.", "comun resid", "citta resid", "city village"),
        "adminUnitL2": ("prov.", "provinc", "ind prov", "sigla prov", "prov resid", "state provinc"),
    },
    "Residence": {
        "municipality": ("cod com", "comun resid", "municipality", "comun"),
        "since": ("dt iscr", "dat iscr", "resid dal.", "dat decorr", "dt dec", "since", "dal.", "dt ini", "dat ini"),
        "until": ("dt canc", "dat canc", "resid al.", "dat fin", "dt fin", "al."),
        "status": ("pos anag", "posizion", "stato anag"),
    },
    "Household": {"size": ("num comp", "n comp", "component", "size"), "kinship": ("cod par", "parentel", "kinship")},
    "ContactPoint": {
        "channel": ("tipo rec", "tip rec", "channel"),
        "email": ("email.", "e mail", "mail.", "pec.", "email addr", "indirizz mail", "indirizz email", "posta elettr"),
        "telephone": ("tel.", "telefon", "cell", "num tel", "num cell", "mobile", "phone", "phone num", "home phone"),
        "preferred": ("fl pref", "prefer"),
        "language": ("lingu", "lang"),
    },
    "ServiceCase": {
        "title": ("oggett", "titol", "title", "subject"),
        "status": ("stat.", "stato.", "cod stat", "status", "state.", "stato pratic"),
        "openedOn": (
            *("dt aper", "dat aper", "dt ap", "apert", "dat pres", "dt pres", "opened", "open dat", "dt pratic"),
            *("dat pratic", "dat richiest", "dt richiest", "created", "creat dat", "creation dat"),
        ),
        "deadline": ("dt term", "termin", "scad", "dt scad", "dat scad", "deadline", "due.", "due dat"),
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
        "cost": ("cost.", "costo", "tariff"),
    },
    "Channel": {"kind": ("tipo", "cod can"), "description": ("descr",), "openingHours": ("orar", "opening")},
    "LifeEvent": {"code": ("cod ev", "code"), "title": ("titol", "denom", "title")},
    "PublicOrganisation": {
        "prefLabel": ("denom", "ragion", "rag soc", "name.", "label", "nome."),
        "classification": ("categ", "ordin", "tipo", "classif", "type"),
        "homepage": ("sit", "url", "homepage", "website"),
    },
    "Location": {
        "geographicName": ("denom", "comun", "city.", "name.", "nome."),
        "geographicIdentifier": ("cod cat", "belfior", "cod com", "istat", "code"),
    },
    "HealthExemption": {
        "code": ("cod ese", "codice", "code"),
        "description": ("descr",),
        "validFrom": ("dal.", "dt ini", "inizio", "valid from"),
        "validUntil": ("al.", "dt fin", "fine", "valid until"),
    },
    "Disability": {
        "recognised": ("esit", "ricon", "recogn"),
        "percentage": ("perc", "percent"),
        "recognisedOn": ("aamm verb", "dt ric", "dat verb", "recognised on"),
    },
    "Benefit": {
        "kind": ("tip", "tp pre", "tipo prest", "kind"),
        "status": ("stat.", "stato.", "st pre", "status"),
        "amount": ("im mens", "import", "amount"),
        "validFrom": ("dt dec", "decorr", "dt ini", "valid from"),
        "validUntil": ("dt scad", "scad", "dt fin", "valid until"),
    },
    "Contribution": {
        "year": ("anno.", "aa comp", "year."),
        "weeks": ("settim", "nr sett", "n sett", "weeks"),
        "employer": ("datore", "ds azi", "aziend", "rag soc", "employer"),
        "amount": ("import", "im vers", "amount"),
    },
    "Enrolment": {
        "schoolYear": ("anno sc", "anno scol", "as.", "school year"),
        "grade": ("class", "grade"),
        "status": ("stat.", "stato.", "status"),
        "mealService": ("mens", "meal", "canteen"),
    },
    "SupportProgramme": {
        "kind": ("tip", "kind"),
        "status": ("stat.", "stato.", "status"),
        "startedOn": ("dat ini", "inizio", "dal.", "started"),
        "endedOn": ("dat fin", "fine", "al.", "ended"),
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


CODED: Final = re.compile(r"(cod|codice|cd|id|fk|fkid|tipo|tip|prog|num|nr|n)_")
"""What a name begins with that says that the column holds no text of its own: `COD_INDIRIZZO` is no address."""

OF_NOBODY: Final = frozenset(("Channel", "LifeEvent", "Location", "PublicOrganisation", "PublicService"))
"""Types whose rows are about no citizen, whoever entered them."""

FREE_TEXTS: Final = frozenset(
    ("givenName", "familyName", "fullAddress", "thoroughfare", "postName", "title", "description", "geographicName")
)
"""Fields that hold what people wrote."""

_MARK: Final = re.compile(
    "(t|tb|tab|tbl|v|vw|dt|dat|scheda|archivio|cod|codice|cd|ds|des|desc|descr|fl|flg|flag|is|has|fk|fkid|ana|sys|app)_"
)
_LONGEST_MODULE: Final = 4
"""Letters of a table's first word that may be the name of a module: `ana_soggetto`, `mdl_user`."""
_FILLING: Final = frozenset(("di", "da", "del", "della", "dell", "de", "il", "la", "of", "the"))
_LONGEST_SAID: Final = 4
_BIRTH: Final = re.compile("nasc|birth|(^|_)(nato|nata|born|dob)(_|$)")


@cache
def words_of(name: str) -> str:
    """Return the words of a name, in small letters with `_` between them: `DataNascita`, `DATA_DI_NASCITA` alike."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    plain = unicodedata.normalize("NFD", parted).lower().encode("ascii", "ignore").decode()
    return "_".join(word for word in re.split(r"[^a-z]+", plain) if word and word not in _FILLING)


def has_phrase(name: str, phrases: tuple[str, ...]) -> bool:
    """Say whether a name is one of these phrases, after a mark such as `T_` or `COD_` if it has one.

    What is said of a birth is said of nothing else: `COD_COMUNE_NASCITA` is not where somebody lives.
    """
    written = words_of(name)
    of_birth = _BIRTH.search(written) is not None
    meant = tuple(phrase for phrase in phrases if _BIRTH.search(phrase)) if of_birth else phrases
    whole = _patterns(meant)
    return any(whole.fullmatch(each) for each in (written, _MARK.sub("", written, count=1)))


def begins_with(comment: str, phrases: tuple[str, ...]) -> bool:
    """Say whether the first words of a comment are one of these phrases: `Codice fiscale dell'operatore`."""
    words = words_of(comment).split("_")[:_LONGEST_SAID]
    return any(has_phrase("_".join(words[:count]), phrases) for count in range(1, len(words) + 1))


def likeness(name: str, type_name: str, modules: Collection[str]) -> float:
    """Return how much a table's name says that it holds rows of a type: 1 by its whole name, less by its first word.

    Args:
        name: the table's.
        type_name: of the vocabulary.
        modules: words with which many tables of this database begin, and which say nothing therefore.
    """
    words = words_of(name).split("_")
    whole = _patterns(TYPES[type_name])
    while words:
        if whole.fullmatch("_".join(words)):
            return 1.0
        if any(whole.fullmatch("_".join(words[:count])) for count in range(1, len(words))):
            return 0.5
        if len(words[0]) > _LONGEST_MODULE and words[0] not in modules:
            return 0.0
        words = words[1:]
    return 0.0


@cache
def _patterns(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join("_?".join(map(_stem, phrase.split())) for phrase in phrases) or r"(?!)")


def _stem(stem: str) -> str:
    # Stems of one or two letters are abbreviations and have no other ending either.
    return stem.rstrip(".") if stem.endswith(".") or len(stem) < 3 else f"{stem}[a-z]*"  # noqa: PLR2004  # as said
