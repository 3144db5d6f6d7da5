"""What a citizen reads instead of codes: names of administrations, purposes and fields, in Italian or English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from federation.consumer.access import Access, AccessReport
from federation.consumer.looks import Look
from federation.contract.clock import ROME
from federation.contract.decisions import CLEAR
from federation.contract.delegation import DelegationBasis
from federation.contract.entries import Entry, EntryKind
from federation.contract.identifiers import PERSON
from federation.contract.languages import Language
from federation.contract.members import MemberList

ITALIAN_LINE: Final = "it: "
"""How a description in the vocabulary says the same in Italian, on a line of its own."""


_RIGHTS: Final = {
    DelegationBasis.PARENT: ("parental responsibility", "responsabilità genitoriale"),
    DelegationBasis.GUARDIAN: ("guardianship", "tutela"),
    DelegationBasis.ATTORNEY: ("power of attorney", "procura"),
}
_MASKS: Final = {
    "verify": ("only whether it is what they said", "solo se è quello che hanno detto"),
    "age_over": ("only whether an age is reached", "solo se un'età è raggiunta"),
    "redact": ("a notice in its place", "al suo posto un avviso"),
    "partial": ("only its beginning", "solo l'inizio"),
    "email": ("only its first letters", "solo le prime lettere"),
    "year": ("only the year", "solo l'anno"),
    "month": ("only year and month", "solo anno e mese"),
    "age_band": ("only a band of ages", "solo la fascia di età"),
    "date_shift": ("only a date near it", "solo una data vicina"),
    "band": ("only its band", "solo la fascia"),
    "round": ("only rounded", "solo arrotondato"),
    "top_code": ("only up to a limit", "solo fino a un limite"),
    "truncate": ("only the province or region", "solo la provincia o la regione"),
    "hash": ("only a code in its place", "solo un codice al suo posto"),
    "pseudonym": ("only a code in its place", "solo un codice al suo posto"),
    "token": ("only a code in its place", "solo un codice al suo posto"),
}
"""What was seen of a value by each masking form of the policy language."""


@dataclass(frozen=True, slots=True)
class Words:
    """Names in one language, from the signed member list and the descriptions of its API schema."""

    language: Language
    members: MemberList
    schema: GraphQLSchema

    def say(self, english: str, italian: str) -> str:
        """Return whichever is in the language."""
        return italian if self.language is Language.ITALIAN else english

    def member(self, member: str) -> str:
        """Return what an administration is called."""
        return self.members.member_name(member, self.language)

    def purpose(self, purpose: str) -> str:
        """Return what a purpose is called."""
        return self.members.purpose_name(purpose, self.language)

    def type(self, name: str) -> str:
        """Return what a type is: its description, or its name where it has none; the reader is the citizen."""
        if name == PERSON:
            return self.say("About you", "Su di te")
        known = self.schema.type_map.get(name)
        return self._described(known.description if known else None, name)

    def field(self, coordinate: str) -> str:
        """Return what a field is, as it stands within a sentence: its description, its name, or its coordinate."""
        type_name, _, name = coordinate.partition(".")
        known = self.schema.type_map.get(type_name)
        if not isinstance(known, GraphQLObjectType | GraphQLInterfaceType) or name not in known.fields:
            return coordinate
        return _lowered(self._described(known.fields[name].description, name))

    def _described(self, description: str | None, name: str) -> str:
        lines = (description or "").strip().splitlines()
        italian = [line.strip().removeprefix(ITALIAN_LINE) for line in lines if line.strip().startswith(ITALIAN_LINE)]
        english = [line.strip() for line in lines if not line.strip().startswith(ITALIAN_LINE)]
        wanted = italian if self.language is Language.ITALIAN else english
        return " ".join(wanted or english).removesuffix(".") or name

    def when(self, instant: str) -> str:
        """Return an entry's instant (RFC 3339) as the clocks in Italy showed it, to the second."""
        return datetime.fromisoformat(instant).astimezone(ROME).strftime("%d/%m/%Y %H:%M:%S")

    def told(self, accesses: Sequence[Access]) -> dict[str, str]:
        """Return what was disclosed, by type: its fields in words, each with its form where it is not clear."""
        found: dict[str, dict[str, None]] = {}
        for decision in (each for access in accesses for each in access.entry.decisions):
            if not decision.disclosed:
                continue
            said = self.field(decision.coordinate) + self.masked(decision.form)
            found.setdefault(decision.coordinate.partition(".")[0], {})[said] = None
        return {self.type(name): "; ".join(fields) for name, fields in found.items()}

    def masked(self, form: str) -> str:
        """Return what was seen of a value, in brackets behind its field; nothing where all was."""
        if form == CLEAR:
            return ""
        # A form of a newer release is named: better a word that is not understood than a mask that is not mentioned.
        return f" ({self.say(*_MASKS.get(form, (form, form)))})"

    def why(self, entry: Entry) -> str:
        """Return an entry's purpose and legal bases."""
        if entry.kind is EntryKind.REPORT:
            purpose = self.say("to know who looked at your data", "per sapere chi ha consultato i tuoi dati")
        else:
            purpose = self.purpose(entry.purpose) or entry.kind.value
        return f"{purpose} (GDPR {', '.join(entry.legal_basis)})" if entry.legal_basis else purpose

    def did(self, entry: Entry) -> str:
        """Return what was done, as it stands before the name of the administration that was asked."""
        if entry.kind is EntryKind.WRITE:
            return self.say("wrote to", "ha scritto presso")
        if entry.kind is EntryKind.SIGNAL:
            return self.say("was told what changed at", "è stato avvisato di modifiche presso")
        if entry.kind is EntryKind.REPORT:
            return self.say("read this report of", "ha letto questo resoconto di")
        return self.say("asked", "ha interrogato")

    def proved(self, look: Look) -> str:
        """Return whether a look is proved."""
        return self.say("proved", "provato") if look.proved else self.say("not proved", "non provato")

    def nothing_told(self) -> str:
        """Return what stands where no field was disclosed: the citizen was looked up."""
        return self.say("no data of yours was told", "nessun tuo dato comunicato")

    def delegation(self, access: Access) -> str:
        """Return by what right somebody asked in the citizen's place; nothing where nobody did."""
        if access.delegation is None:
            return ""
        right = self.say(*_RIGHTS[access.delegation.basis])
        return f"{self.say('asked in your place', 'in tua vece')}: {right}"

    def warnings(self, report: AccessReport) -> list[str]:
        """Return what the report lacks: members that did not answer, and entries that were left out on the way."""
        gap = self.say("did not answer: this report has a gap", "non ha risposto: questo resoconto è incompleto")
        left_out = self.say(
            "entries were left out on the way; do not rely on this report",
            "alcune voci sono state tolte lungo la via; non fare affidamento su questo resoconto",
        )
        return [
            *(f"{self.member(member)} {gap}" for member in report.gaps),
            *(f"{self.member(member)}: {left_out}" for member in report.incomplete),
        ]

    def sealed(self, report: AccessReport) -> list[str]:
        """Return which activities show later only, the same for everybody."""
        later, whether = (
            self.say("show after", "appaiono dopo"),
            self.say("days, whether there were any or not", "giorni, che ce ne siano stati o no"),
        )
        accesses, for_ = self.say("accesses of", "gli accessi di"), self.say("for", "per")
        return [
            f"{accesses} {self.member(consumer)} {for_} {self.purpose(purpose)} {later} {days} {whether}"
            for (consumer, purpose), days in sorted(report.sealed.items())
        ]

    def own(self, own: Sequence[Look]) -> str:
        """Return one line for all times that the citizen in person read the report; nothing where there was none."""
        if not own:
            return ""
        last, once = self.when(own[0].entry.at), len(own) == 1
        return self.say(
            f"You yourself: {'once' if once else f'{len(own)} times'}, last on {last}",
            f"Tu: {'una volta' if once else f'{len(own)} volte'}, l'ultima il {last}",
        )


def _lowered(phrase: str) -> str:
    """Return a phrase as it stands within a sentence; an acronym keeps its capitals."""
    return phrase[:1].lower() + phrase[1:] if phrase[1:2] in {"'", " "} or phrase[1:2].islower() else phrase
