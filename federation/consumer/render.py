"""An answer as a person reads it: values in clear, masked, denied and missing look different at first sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from federation.consumer.access import AccessReport
from federation.contract.entries import Entry

_DENIED = "FIELD_DENIED"


@dataclass(frozen=True, slots=True)
class _Marks:
    """What is known about places in the answer; places are paths without list positions, joined by dots."""

    masked: Mapping[str, str]
    denied: frozenset[str]
    failed: Mapping[str, str]


def render_answer(answer: Mapping[str, Any], title: str) -> RenderableType:
    """Return a tree of the answer's data, followed by who decided and what duties come with it."""
    privacy = answer.get("extensions", {}).get("privacy", {})
    marks = _marks(answer, privacy)
    tree = Tree(f"[bold]{escape(title)}[/]", guide_style="dim")
    if answer.get("data") is None:
        tree.add("[red]no data[/]")
    else:
        _add(tree, answer["data"], "", marks)
    return Group(tree, *_errors(answer, marks), *_footer(privacy))


def _marks(answer: Mapping[str, Any], privacy: Mapping[str, Any]) -> _Marks:
    errors = [(_place(error.get("path", ())), error.get("extensions", {})) for error in answer.get("errors", ())]
    return _Marks(
        masked={entry["path"]: entry["form"] for entry in privacy.get("masked", ())},
        denied=frozenset(entry["path"] for entry in privacy.get("denied", ()))
        | {place for place, extensions in errors if extensions.get("code") == _DENIED},
        failed={
            place: f"{extensions.get('member', '')} {extensions.get('code', '')}".strip()
            for place, extensions in errors
            if extensions.get("code") != _DENIED
        },
    )


def _add(tree: Tree, value: Any, place: str, marks: _Marks) -> None:
    for name, child in value.items():
        below = f"{place}.{name}" if place else name
        if isinstance(child, Mapping):
            _add(tree.add(Text(name, "bold")), child, below, marks)
        elif isinstance(child, list) and child and isinstance(child[0], Mapping):
            for number, element in enumerate(child, 1):
                _add(tree.add(Text(f"{name} {number}", "bold")), element, below, marks)
        else:
            tree.add(_leaf(name, child, below, marks))


def _leaf(name: str, value: Any, place: str, marks: _Marks) -> Text:
    line = Text(f"{name}: ")
    if value is None:
        if place in marks.denied:
            return line.append("✗ denied", "red")
        if place in marks.failed:
            return line.append(f"⚠ {marks.failed[place]}", "yellow")
        return line.append("—", "dim")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if place in marks.masked:
        return line.append(text, "yellow").append(f"  ◐ {marks.masked[place]}", "dim yellow")
    return line.append(text, "green")


def _errors(answer: Mapping[str, Any], marks: _Marks) -> list[Text]:
    """Errors that belong to no place shown above, such as a refusal of the whole request."""
    return [
        Text(f"{error.get('extensions', {}).get('code', 'ERROR')}: {error['message']}", "red")
        for error in answer.get("errors", ())
        if _place(error.get("path", ())) not in marks.denied
    ]


def _footer(privacy: Mapping[str, Any]) -> list[Text]:
    lines = []
    for member in privacy.get("members", ()):
        receipt, policy = member["receipt"], member["policy"]
        lines.append(
            Text(
                f"{member['member']}: policy revision {policy['revision']} ({policy['digest'][7:19]}…), "
                f"entry {receipt['index']} of ledger {receipt['origin']}",
                "dim",
            )
        )
    lines += [Text(f"{member} did not answer", "yellow") for member in privacy.get("unavailable", ())]
    duties = sorted({(duty["eraseAfter"], duty["member"]) for duty in privacy.get("duties", ())})
    lines += [Text(f"erase what {member} gave after {period}", "dim") for period, member in duties]
    return lines


def _place(path: Sequence[str | int]) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def render_report(report: AccessReport) -> RenderableType:
    """Return one block per access, newest first: who, where, why, by which law, which fields, and whether proved."""
    blocks: list[RenderableType] = [Text("Who looked · Chi ha guardato", "bold")]
    for access in report.accesses:
        entry = access.entry
        proof = Text("✓ proved", "green") if access.proved else Text("✗ not proved", "red")
        tree = Tree(
            Text.assemble(
                (entry.at, "bold"), f"  {access.member} → {entry.consumer}  ", (_why(entry), "cyan"), "  ", proof
            ),
            guide_style="dim",
        )
        if access.delegation:
            tree.add(Text(f"asked in your place · al suo posto: {access.delegation.basis.value}", "yellow"))
        for law in laws(entry):
            tree.add(Text(law, "dim"))
        for type_name, fields in _by_type(shown_fields(entry)).items():
            tree.add(Text.assemble((type_name, "bold"), ": ", ", ".join(fields)))
        blocks.append(tree)
    blocks += [Text(f"{member} did not answer: this report has a gap", "yellow") for member in report.gaps]
    blocks += [
        Text(f"{member}: entries were left out on the way; do not rely on this report", "red")
        for member in report.incomplete
    ]
    blocks += [
        Text(f"accesses of {consumer} for {purpose} show after {days} days, whether there were any or not", "dim")
        for (consumer, purpose), days in sorted(report.sealed.items())
    ]
    return Group(*blocks)


def _why(entry: Entry) -> str:
    return f"{entry.purpose or entry.kind.value} ({', '.join(entry.legal_basis)})"


def _by_type(fields: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for field in fields:
        type_name, _, name = field.partition(".")
        found.setdefault(type_name, []).append(name)
    return found


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
