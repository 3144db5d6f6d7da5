"""The citizen's report on a terminal, and as JSON: who looked at what, when, why and by which law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from federation.consumer.access import Access, AccessReport
from federation.consumer.looks import Look, laws, looks
from federation.consumer.words import Words
from federation.contract.decisions import CLEAR
from federation.contract.entries import Entry


def render_report(report: AccessReport, words: Words) -> RenderableType:
    """Return one block per look, newest first; the citizen's own questions, which are entries too, as one line."""
    found = looks(report)
    blocks: list[RenderableType] = [_block(look, words) for look in found.others]
    nobody = Text(words.say("Nobody looked.", "Nessuno ha consultato i tuoi dati."))
    return Group(
        Text(words.say("Who looked at your data", "Chi ha consultato i tuoi dati"), "bold"),
        *(blocks or [nobody]),
        *_own(found.own, words),
        *(Text(warning, "yellow") for warning in words.warnings(report)),
        *(Text(line, "dim") for line in words.sealed(report)),
    )


def _block(look: Look, words: Words) -> Tree:
    when, who = words.when(look.entry.at), words.member(look.entry.consumer)
    tree = Tree(Text.assemble((when, "bold"), "  ", (who, "bold cyan"), "  ", _proof(look, words)), guide_style="dim")
    tree.add(Text(f"{words.say('why', 'perché')}: {words.why(look.entry)}", "cyan"))
    for delegation in dict.fromkeys(words.delegation(access) for access in look.accesses):
        if delegation:
            tree.add(Text(delegation, "yellow"))
    for holder, accesses in look.holders().items():
        _add_told(tree.add(Text(f"{words.did(look.entry)} {words.member(holder)}")), accesses, words)
    return tree


def _add_told(tree: Tree, accesses: Sequence[Access], words: Words) -> None:
    for law in laws(accesses):
        tree.add(Text(law, "dim"))
    told = words.told(accesses)
    for type_name, fields in told.items():
        tree.add(Text.assemble((type_name, "bold"), ": ", fields))
    if not told:
        tree.add(Text(words.nothing_told(), "dim"))


def _proof(look: Look, words: Words) -> Text:
    return Text("✓ " + words.proved(look), "green") if look.proved else Text("✗ " + words.proved(look), "red")


def _own(own: Sequence[Look], words: Words) -> list[Text]:
    if not own:
        return []
    unproved = [look for look in own if not look.proved]
    return [Text(words.own(own), "dim"), *(_proof(look, words) for look in unproved[:1])]


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
                "law": laws([access]),
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


def shown_fields(entry: Entry) -> list[str]:
    """Return what an entry disclosed: coordinates, with the form where it is not the value itself."""
    return [
        decision.coordinate if decision.form == CLEAR else f"{decision.coordinate} ({decision.form})"
        for decision in entry.decisions
        if decision.disclosed
    ]
