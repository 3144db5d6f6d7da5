"""The citizen's report as a person reads it, and as JSON: who looked at what, when, why and by which law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from federation.consumer.access import Access, AccessReport
from federation.consumer.words import Words
from federation.contract.delegation import DelegationBasis
from federation.contract.entries import Entry, EntryKind

_RIGHTS: Final = {
    DelegationBasis.PARENT: ("parental responsibility", "responsabilità genitoriale"),
    DelegationBasis.GUARDIAN: ("guardianship", "tutela"),
    DelegationBasis.ATTORNEY: ("power of attorney", "procura"),
}


def render_report(report: AccessReport, words: Words) -> RenderableType:
    """Return one block per access, newest first; the citizen's own questions, which are entries too, as one line."""
    own = [access for access in report.accesses if _is_own(access)]
    shown: list[RenderableType] = [_block(access, words) for access in report.accesses if not _is_own(access)]
    nobody = Text(words.say("Nobody looked.", "Nessuno ha consultato i tuoi dati."))
    return Group(
        Text(words.say("Who looked at your data", "Chi ha consultato i tuoi dati"), "bold"),
        *(shown or [nobody]),
        *_own_questions(own, words),
        *_warnings(report, words),
    )


def _is_own(access: Access) -> bool:
    """Say whether the citizen asked, in person: what a delegate asks is shown each time."""
    return access.entry.kind is EntryKind.REPORT and access.delegation is None


def _block(access: Access, words: Words) -> Tree:
    entry = access.entry
    tree = Tree(
        Text.assemble(
            (words.when(entry.at), "bold"),
            "  ",
            (words.member(entry.consumer), "bold cyan"),
            f"  {_did(entry, words)} ",
            (words.member(access.member), "bold"),
            "  ",
            _proof(access.proved, words),
        ),
        guide_style="dim",
    )
    tree.add(Text(f"{words.say('why', 'perché')}: {_why(entry, words)}", "cyan"))
    if access.delegation:
        right = words.say(*_RIGHTS[access.delegation.basis])
        tree.add(Text(f"{words.say('asked in your place', 'in tua vece')}: {right}", "yellow"))
    for law in laws(entry):
        tree.add(Text(law, "dim"))
    told = words.fields(entry)
    for type_name, fields in told.items():
        tree.add(Text.assemble((type_name, "bold"), ": ", fields))
    if not told and entry.kind is EntryKind.DISCLOSURE:
        tree.add(Text(words.say("you were looked up; nothing was told", "solo ricerca; nessun dato comunicato"), "dim"))
    return tree


def _did(entry: Entry, words: Words) -> str:
    if entry.kind is EntryKind.WRITE:
        return words.say("wrote to", "ha scritto presso")
    if entry.kind is EntryKind.REPORT:
        return words.say("read this report of", "ha letto questo resoconto di")
    return words.say("asked", "ha interrogato")


def _why(entry: Entry, words: Words) -> str:
    if entry.kind is EntryKind.REPORT:
        purpose = words.say("to know who looked at your data", "per sapere chi ha consultato i tuoi dati")
    else:
        purpose = words.purpose(entry.purpose) or entry.kind.value
    return f"{purpose} (GDPR {', '.join(entry.legal_basis)})" if entry.legal_basis else purpose


def _proof(proved: bool, words: Words) -> Text:  # noqa: FBT001  # the verdict itself
    if proved:
        return Text("✓ " + words.say("proved", "provato"), "green")
    return Text("✗ " + words.say("not proved", "non provato"), "red")


def _own_questions(own: Sequence[Access], words: Words) -> list[Text]:
    """One line for all times the citizen read this report; each is an entry in each node."""
    if not own:
        return []
    times = len({access.entry.request_digest for access in own})
    last = words.when(max(access.entry.at for access in own))
    unproved = sum(not access.proved for access in own)
    line = Text(
        words.say(f"You yourself: {times} times, last on {last}", f"Tu: {times} volte, l'ultima il {last}"), "dim"
    )
    if unproved:
        line.append(f"  ✗ {unproved} " + words.say("not proved", "non provate"), "red")
    return [line]


def _warnings(report: AccessReport, words: Words) -> list[Text]:
    gap = words.say("did not answer: this report has a gap", "non ha risposto: questo resoconto è incompleto")
    left_out = words.say(
        "entries were left out on the way; do not rely on this report",
        "alcune voci sono state tolte lungo la via; non fare affidamento su questo resoconto",
    )
    return [
        *(Text(f"{words.member(member)} {gap}", "yellow") for member in report.gaps),
        *(Text(f"{words.member(member)}: {left_out}", "red") for member in report.incomplete),
        *(
            Text(_sealed(words.member(consumer), words.purpose(purpose), days, words), "dim")
            for (consumer, purpose), days in sorted(report.sealed.items())
        ),
    ]


def _sealed(consumer: str, purpose: str, days: int, words: Words) -> str:
    return words.say(
        f"accesses of {consumer} for {purpose} show after {days} days, whether there were any or not",
        f"gli accessi di {consumer} per {purpose} appaiono dopo {days} giorni, che ce ne siano stati o no",
    )


def report_json(report: AccessReport) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "accesses": [
            {
                "at": access.entry.at,
                "member": access.member,
                "kind": access.entry.kind.value,
                "consumer": access.entry.consumer,
                "purpose": access.entry.purpose,
                "legalBasis": list(access.entry.legal_basis),
                "agreement": access.entry.agreement,
                "law": laws(access.entry),
                "fields": shown_fields(access.entry),
                "proved": access.proved,
                "delegation": msgspec.to_builtins(access.delegation),
            }
            for access in report.accesses
        ],
        "gaps": list(report.gaps),
        "incomplete": list(report.incomplete),
        "sealed": [
            {"consumer": consumer, "purpose": purpose, "days": days}
            for (consumer, purpose), days in sorted(report.sealed.items())
        ],
    }


def laws(entry: Entry) -> list[str]:
    """Return the laws on which an entry's disclosures rest, each once."""
    return list(dict.fromkeys(law for decision in entry.decisions for law in decision.law))


def shown_fields(entry: Entry) -> list[str]:
    """Return what an entry disclosed: coordinates, with the form where it is not the value itself."""
    return [
        decision.coordinate if decision.form == "clear" else f"{decision.coordinate} ({decision.form})"
        for decision in entry.decisions
        if decision.form != "deny" and not decision.join_key
    ]
