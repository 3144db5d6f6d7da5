"""What a citizen reads instead of codes: names of administrations, purposes and fields, in Italian or English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from federation.contract.clock import ROME
from federation.contract.entries import Entry
from federation.contract.members import MemberList

ITALIAN_LINE: Final = "it: "
"""How a description in the vocabulary says the same in Italian, on a line of its own."""


class Language(StrEnum):
    """The languages of the sentences."""

    ENGLISH = "en"
    ITALIAN = "it"


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
        """Return what a type is: its description, or its name where it has none."""
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

    def fields(self, entry: Entry) -> dict[str, str]:
        """Return what an entry disclosed, by type: its fields in words, each with its form where it is not clear."""
        found: dict[str, list[str]] = {}
        for decision in entry.decisions:
            if decision.form == "deny" or decision.join_key:
                continue
            said = self.field(decision.coordinate)
            masked = "" if decision.form == "clear" else f" ({self.say('only as', 'solo come')} {decision.form})"
            found.setdefault(decision.coordinate.partition(".")[0], []).append(said + masked)
        return {self.type(name): "; ".join(dict.fromkeys(fields)) for name, fields in found.items()}


def _lowered(phrase: str) -> str:
    """Return a phrase as it stands within a sentence; an acronym keeps its capitals."""
    return phrase[:1].lower() + phrase[1:] if phrase[1:2] in {"'", " "} or phrase[1:2].islower() else phrase
