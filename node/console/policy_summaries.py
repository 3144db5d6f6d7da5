"""What `check`, `test`, `mutate`, `replay` and the signing commands say to officers, in Italian and English.

Findings themselves are English, as the documents' keywords are; in Italian each is followed by what its code means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from node.policy.findings import FindingCode, Severity
from node.policy.sentences import Language


@dataclass(frozen=True, slots=True)
class SummaryWords:
    """Sentences with `{…}` for what they are about; `meanings` is empty where findings need no translation."""

    severities: Mapping[Severity, str]
    unusable: str
    usable: str
    coverage: str
    failed: str
    case: str
    expected: str
    by: str
    cases: str
    survived: str
    noticed: str
    shift: str
    either: str
    replayed: str
    state: str
    states: Mapping[str, str]
    meanings: Mapping[FindingCode, str]


SIGNED: Final = "signed by the author"
APPROVED: Final = "approved"
ADMISSIBLE: Final = "signed by two officers and may come into force"
CURRENT: Final = "signed by two officers and in force"
PUBLISHED: Final = "in force in {store}"
COPIED: Final = "copied, unsigned: sign, approve and publish it"
STATES: Final = (SIGNED, APPROVED, ADMISSIBLE, CURRENT, PUBLISHED, COPIED)

_MEANINGS: Final[Mapping[FindingCode, str]] = {
    FindingCode.ENCODING_INVALID: "il file non è testo UTF-8",
    FindingCode.YAML_INVALID: "il file non è YAML valido",
    FindingCode.YAML_DUPLICATE_KEY: "una chiave è scritta due volte",
    FindingCode.YAML_ANCHOR: "ancore e rimandi YAML non sono ammessi",
    FindingCode.YAML_TAG: "i tipi YAML espliciti non sono ammessi",
    FindingCode.FILE_UNKNOWN: "un file che non avrebbe effetto",
    FindingCode.FILE_MISSING: "manca un file necessario",
    FindingCode.KEY_UNKNOWN: "una chiave che il linguaggio non conosce",
    FindingCode.KEY_MISSING: "manca una chiave obbligatoria",
    FindingCode.VALUE_INVALID: "un valore che qui non è ammesso",
    FindingCode.NAME_UNKNOWN: "un nome non dichiarato",
    FindingCode.ID_DUPLICATE: "un nome usato due volte",
    FindingCode.CONDITION_INVALID: "una condizione che non si può leggere",
    FindingCode.FORM_INVALID: "una forma che non esiste o ha argomenti sbagliati",
    FindingCode.FORM_TYPE_MISMATCH: "una forma che non si adatta al tipo del campo",
    FindingCode.FORMS_INCOMPARABLE: "due forme che possono valere insieme, e nessuna mostra più dell'altra",
    FindingCode.COMPUTED_SHOWS_MORE: "un campo calcolato mostrerebbe più dei campi da cui è calcolato",
    FindingCode.PROTECTION_UNSUPPORTED: "una protezione che nulla fa rispettare: scriverne un'altra",
    FindingCode.WINDOW_REVERSED: "una validità che finisce prima di cominciare",
    FindingCode.PURPOSE_CYCLE: "finalità che discendono l'una dall'altra in cerchio",
    FindingCode.TYPE_UNKNOWN: "un tipo che lo schema non ha",
    FindingCode.FIELD_UNKNOWN: "un campo che lo schema non ha",
    FindingCode.FIELD_UNCOVERED: "un campo dello schema senza politica: è negato a tutti",
    FindingCode.FIELD_NOT_NULLABLE: "un campo governato che lo schema non lascia vuoto",
    FindingCode.ART9_BASIS_MISSING: "dati particolari senza una base dell'art. 9",
    FindingCode.CELL_SMALL: "conteggi di dati particolari con gruppi troppo piccoli",
    FindingCode.PREDICATE_REVEALS: "il vuoto stesso direbbe qualcosa della persona",
    FindingCode.COMBINATION_GRANTED: "una concessione mostra insieme campi da tenere separati",
}

WORDS: Final[Mapping[Language, SummaryWords]] = {
    Language.ITALIAN: SummaryWords(
        severities={Severity.ERROR: "errore", Severity.WARNING: "avviso"},
        unusable="{folder}: errori: {errors}; il pacchetto non si può usare",
        usable="{folder}: {types} tipi, {fields} campi, {grants} concessioni, {warnings} avvisi, "
        "nessun errore ({digest})",
        coverage="{folder}: {governed} campi serviti su {served} hanno una politica ({percent} %)",
        failed="fallita",
        case="{type}: {requester} per {purpose}, riga {row}",
        expected="{field}: atteso {expected}, deciso {decided}",
        by=" da `{rule}`",
        cases="{folder}: {passed} prove superate su {cases}",
        survived="sfuggito",
        noticed="{folder}: notato il {score} % di {mutants} guasti: {counts}",
        shift="{consumer} per {purpose}: {coordinate} {recorded} → {candidate} ({operations} operazioni)",
        either=" oppure ",
        replayed="{decisions} decisioni di {operations} operazioni, {shifts} sarebbero diverse",
        state="{folder}: revisione {revision} ({digest}…): {state}",
        states={
            SIGNED: "firmata dall'autore",
            APPROVED: "approvata",
            ADMISSIBLE: "firmata da due incaricati, può entrare in vigore",
            CURRENT: "firmata da due incaricati e in vigore",
            PUBLISHED: "in vigore in {store}",
            COPIED: "copiata, senza firme: firmarla, approvarla e pubblicarla",
        },
        meanings=_MEANINGS,
    ),
    Language.ENGLISH: SummaryWords(
        severities={each: str(each) for each in Severity},
        unusable="{folder}: errors: {errors}; the bundle cannot be used",
        usable="{folder}: {types} types, {fields} fields, {grants} grants, {warnings} warnings, no errors ({digest})",
        coverage="{folder}: {governed} of {served} served fields have a policy ({percent} %)",
        failed="failed",
        case="{type}: {requester} for {purpose}, row {row}",
        expected="{field}: expected {expected}, decided {decided}",
        by=" by `{rule}`",
        cases="{folder}: {passed} of {cases} cases pass",
        survived="survived",
        noticed="{folder}: {score} % noticed of {mutants} mutants: {counts}",
        shift="{consumer} for {purpose}: {coordinate} {recorded} → {candidate} ({operations} operations)",
        either=" or ",
        replayed="{decisions} decisions of {operations} operations, {shifts} would be others",
        state="{folder}: revision {revision} ({digest}…) is {state}",
        states={each: each for each in STATES},
        meanings={},
    ),
}
