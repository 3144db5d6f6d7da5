"""An answer as a person reads it: values in clear, masked, denied and missing look different at first sight."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

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
    text = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
    if place in marks.masked:
        return line.append(text, "yellow").append(f"  ◐ {marks.masked[place]}", "dim yellow")
    return line.append(text, "green")


def _text(value: Any) -> str:
    """A scalar as JSON has it, text without its quotation marks."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


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
