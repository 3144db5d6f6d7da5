"""The commands that look at a policy as a whole: `prove`, `diff`, `mutate` and `replay`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from federation.contract.entries import Entry
from federation.contract.errors import BadInputError, NotFoundError
from node.console.policy_options import (
    DEFAULT_FOLDER,
    Format,
    FormatOption,
    PoliciesOption,
    SchemaOption,
    bundles_in,
    errors_in_words,
    exit_if,
)
from node.console.policy_output import out, print_json
from node.console.policy_proofs import available, prove_with_z3
from node.policy.differences import differences
from node.policy.forms import Form, form_text
from node.policy.mutants import Fate, fate, mutants
from node.policy.proving import Counterexample, Proof, idle_rules, prove
from node.policy.replaying import Consumer, replay

if TYPE_CHECKING:
    from node.console.policy_proofs import Verdict
    from node.policy.bundle import Bundle
    from node.policy.differences import Change
    from node.policy.mutants import Mutant


def prove_bundles(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Prove the invariants over every requester, purpose, basis, day, consent and row; name rules that never matter."""
    with errors_in_words():
        proved = [(folder, bundle, prove(bundle)) for folder, bundle in bundles_in(policies, schema)]
        idle = {folder: list(idle_rules(bundle)) for folder, bundle, _ in proved}
    seconds = {
        (folder, proof.invariant.id, proof.invariant.type_name): prove_with_z3(bundle, proof.invariant)
        for folder, bundle, proofs in proved
        for proof in proofs
        if available()
    }
    # An invariant holds if exhaustion says so and z3 does not know better.
    failed = any(not proof.holds for _, _, proofs in proved for proof in proofs) or any(
        verdict.holds is False for verdict in seconds.values()
    )
    if output is Format.JSON:
        print_json(
            {
                "ok": not failed,
                "bundles": [
                    {
                        "folder": str(folder),
                        "proofs": [
                            _proof_json(one, seconds.get((folder, one.invariant.id, one.invariant.type_name)))
                            for one in proofs
                        ],
                        "idle": [{"type": one.type_name, "rule": one.rule} for one in idle[folder]],
                    }
                    for folder, _, proofs in proved
                ],
            }
        )
    else:
        for folder, bundle, proofs in proved:
            _print_proofs(folder, bundle, proofs, seconds)
            for one in idle[folder]:
                out().print(
                    f"[yellow]idle[/yellow] {one.type_name}: rule `{one.rule}` changes no decision", highlight=False
                )
    exit_if(failed)


def _proof_json(proof: Proof, verdict: Verdict | None) -> dict[str, Any]:
    found = proof.counterexample
    return {
        "invariant": proof.invariant.id,
        "type": proof.invariant.type_name,
        "holds": proof.holds,
        "classes": proof.classes,
        "z3": None if verdict is None else verdict.holds,
        "counterexample": None if found is None else _counterexample_text(found),
    }


def _print_proofs(
    folder: Path, bundle: Bundle, proofs: tuple[Proof, ...], seconds: dict[tuple[Path, str, str], Verdict]
) -> None:
    console = out()
    for proof in proofs:
        verdict = seconds.get((folder, proof.invariant.id, proof.invariant.type_name))
        second = "" if verdict is None else f", z3: {_VERDICTS[verdict.holds]}"
        mark = "[green]holds[/green]" if proof.holds else "[red]broken[/red]"
        where = f"{proof.invariant.type_name}: {proof.invariant.id} ({proof.classes} classes{second})"
        console.print(f"{mark} {where}", highlight=False)
        if proof.counterexample is not None:
            console.print(
                f"  {_counterexample_text(proof.counterexample)}", markup=False, highlight=False, soft_wrap=True
            )
        elif verdict is not None and verdict.holds is False:
            console.print(f"  z3: {verdict.counterexample}", markup=False, highlight=False, soft_wrap=True)
    held = sum(proof.holds for proof in proofs)
    console.print(f"{folder}: {held} of {len(proofs)} proofs hold ({bundle.digest})", highlight=False)


_VERDICTS = {True: "holds", False: "broken", None: "no answer"}


def _counterexample_text(found: Counterexample) -> str:
    row = ", ".join(f"{name} = {_value(value)}" for name, value in found.row.items()) or "any row"
    consent = "" if found.consent is None else f", consent {'given' if found.consent else 'not given'}"
    return (
        f"{found.field} is shown as {form_text(found.form)} by `{found.rule}` to kind {found.requester.kind}, "
        f"basis {', '.join(sorted(found.requester.basis)) or 'none'}, area {_value(found.requester.area)}, "
        f"for {found.purpose}, on {found.day}, where {row}{consent}"
    )


def _value(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(str(member) for member in value))}]"
    return repr(value) if isinstance(value, str) else str(value).lower()


def compare_bundles(
    old: Annotated[Path, typer.Argument(help="Folder of the bundle as it is.")],
    new: Annotated[Path, typer.Argument(help="Folder of the bundle as it shall be.")],
    output: FormatOption = Format.TABLE,
) -> None:
    """Say who gains and who loses what between two bundles."""
    with errors_in_words():
        before, after = (_one_bundle(folder) for folder in (old, new))
        changes = list(differences(before, after))
    if output is Format.JSON:
        print_json(
            {
                "same": not changes,
                "old": before.digest,
                "new": after.digest,
                "changes": [_change_json(one) for one in changes],
            }
        )
    else:
        console = out()
        for one in changes:
            mark = "[red]gains[/red]" if one.gains else "[green]loses[/green]"
            console.print(
                f"{mark} {one.requester.kind} for {one.purpose}: {one.type_name}.{one.field} "
                f"{_form(one.before)} → {_form(one.after)}",
                highlight=False,
            )
            console.print(f"  first seen: {_situation(one)}", markup=False, highlight=False, soft_wrap=True)
        gains = sum(one.gains for one in changes)
        console.print(f"{gains} gains, {len(changes) - gains} losses", highlight=False)
    exit_if(bool(changes))


def _one_bundle(folder: Path) -> Bundle:
    [(_, bundle)] = islice(bundles_in(folder, None), 1)
    return bundle


def _form(form: Form | None) -> str:
    """Write a form where square brackets would be read as markup."""
    return form_text(form).replace("[", "\\[")


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "type": change.type_name,
        "field": change.field,
        "kind": change.requester.kind,
        "purpose": change.purpose,
        "gains": change.gains,
        "before": form_text(change.before),
        "after": form_text(change.after),
        "firstSeen": _situation(change),
    }


def _situation(change: Change) -> str:
    row = ", ".join(f"{name} = {_value(value)}" for name, value in change.row.items()) or "any row"
    consent = "" if change.consent is None else f", consent {'given' if change.consent else 'not given'}"
    basis = ", ".join(sorted(change.requester.basis)) or "none"
    return f"basis {basis}, area {_value(change.requester.area)}, on {change.day}, {row}{consent}"


def mutate_bundles(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    least: Annotated[int, typer.Option("--least", help="Percentage of mutants that must be noticed.")] = 90,
    output: FormatOption = Format.TABLE,
) -> None:
    """Edit the policy carelessly, one rule at a time, and say what tests, invariants and matrix.lock notice."""
    with errors_in_words():
        scored = [(folder, _fates(bundle)) for folder, bundle in bundles_in(policies, schema)]
    scores = {folder: _score(fates) for folder, fates in scored}
    failed = any(score < least for score in scores.values())
    if output is Format.JSON:
        print_json({"ok": not failed, "bundles": [_mutation_json(folder, fates) for folder, fates in scored]})
    else:
        console = out()
        for folder, fates in scored:
            counts = Counter(found for _, found in fates)
            for mutant, found in fates:
                if found is Fate.SURVIVED:
                    console.print(
                        f"[red]survived[/red] {mutant.type_name}: {mutant.rule}: {mutant.edit}", highlight=False
                    )
            said = ", ".join(f"{counts[one]} {one}" for one in Fate)
            console.print(f"{folder}: {scores[folder]} % noticed of {len(fates)} mutants: {said}", highlight=False)
    exit_if(failed)


def _fates(bundle: Bundle) -> list[tuple[Mutant, Fate]]:
    return [(mutant, fate(bundle, mutant)) for mutant in mutants(bundle)]


def _score(fates: list[tuple[Mutant, Fate]]) -> int:
    """Return how many of a hundred mutants that change something are noticed."""
    counts = Counter(found for _, found in fates)
    total = len(fates) - counts[Fate.EQUIVALENT]
    return 100 if not total else 100 * (total - counts[Fate.SURVIVED]) // total


def _mutation_json(folder: Path, fates: list[tuple[Mutant, Fate]]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "score": _score(fates),
        "counts": {str(one): count for one, count in Counter(found for _, found in fates).items()},
        "survivors": [
            {"type": mutant.type_name, "rule": mutant.rule, "edit": mutant.edit}
            for mutant, found in fates
            if found is Fate.SURVIVED
        ],
    }


def replay_log(
    log: Annotated[Path, typer.Argument(help="Journal entries, one JSON object per line.")],
    consumers: Annotated[Path, typer.Option("--consumers", help='JSON: `{"inprev": {"kind": "national"}}`.')],
    policies: PoliciesOption = DEFAULT_FOLDER,
    output: FormatOption = Format.TABLE,
) -> None:
    """Decide recorded operations again by a candidate bundle, and list what would be decided otherwise."""
    with errors_in_words():
        bundle = _one_bundle(policies)
        known = _read(consumers, dict[str, Consumer])
        entries = [_entry(line, number) for number, line in enumerate(_lines(log), start=1)]
        found = replay(bundle, entries, known)
    if output is Format.JSON:
        print_json({"same": not found.shifts, **dataclasses.asdict(found)})
    else:
        console = out()
        for one in found.shifts:
            console.print(
                f"{one.consumer} for {one.purpose}: {one.coordinate} {one.recorded} → {' or '.join(one.candidate)} "
                f"({one.operations} operations)",
                markup=False,
                highlight=False,
            )
        console.print(
            f"{found.decisions} decisions of {found.operations} operations, {len(found.shifts)} would be others",
            highlight=False,
        )
    exit_if(bool(found.shifts))


def _lines(path: Path) -> list[bytes]:
    if not path.is_file():
        raise NotFoundError(f"file `{path}` does not exist")
    return [line for line in path.read_bytes().splitlines() if line.strip()]


def _entry(line: bytes, number: int) -> Entry:
    try:
        return msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError as error:
        raise BadInputError(f"line {number} of the log is not a journal entry: {error}") from error


def _read(path: Path, shape: type[dict[str, Consumer]]) -> dict[str, Consumer]:
    try:
        return msgspec.json.decode(b"".join(_lines(path)), type=shape)
    except msgspec.DecodeError as error:
        raise BadInputError(f"`{path}` does not say kind and area of each consumer: {error}") from error
