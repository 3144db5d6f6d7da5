"""The commands that look at a policy as a whole: `prove`, `diff`, `mutate` and `replay`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table

from federation.contract.entries import Entry
from federation.contract.errors import BadInputError, NotFoundError
from node.console.policy_options import (
    DEFAULT_FOLDER,
    Format,
    FormatOption,
    LanguageOption,
    PoliciesOption,
    SchemaOption,
    bundles_in,
    errors_in_words,
    exit_if,
    one_bundle,
)
from node.console.policy_output import out, print_json
from node.console.policy_proofs import Verdict, available, prove_with_z3
from node.console.policy_summaries import WORDS
from node.console.policy_words import PROVING, ProvingWords, change_sentence, counterexample_sentence, situation_phrase
from node.policy.differences import differences
from node.policy.disclosures import Disclosure, most_disclosed
from node.policy.forms import form_text
from node.policy.mutants import Fate, fate, mutants
from node.policy.needless import NeedlessPart, needless_parts
from node.policy.proving import Counterexample, IdleRule, Proof, idle_rules, prove
from node.policy.replaying import Consumer, replay
from node.policy.sentences import Language

if TYPE_CHECKING:
    from node.console.policy_agreement import Agreement
    from node.policy.bundle import Bundle
    from node.policy.differences import Change
    from node.policy.mutants import Mutant


@dataclass(frozen=True, slots=True)
class _Proved:
    """Everything that was asked about one bundle."""

    folder: Path
    bundle: Bundle
    proofs: tuple[Proof, ...]
    verdicts: tuple[Verdict | None, ...]
    idle: tuple[IdleRule, ...]
    needless: tuple[NeedlessPart, ...]
    disclosures: tuple[Disclosure, ...]
    agreement: Agreement

    @property
    def holds(self) -> bool:
        """An invariant holds if exhaustion says so and z3 does not know better; and all back-ends mean the same."""
        broken = any(verdict is not None and verdict.holds is False for verdict in self.verdicts)
        return all(proof.holds for proof in self.proofs) and not broken and not self.agreement.disagreements


def prove_bundles(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    lang: LanguageOption = Language.ITALIAN,
    output: FormatOption = Format.TABLE,
) -> None:
    """Prove the invariants over every situation, name what never matters, and that SQL, closures and z3 agree."""
    with errors_in_words():
        proved = [_prove(folder, bundle) for folder, bundle in bundles_in(policies, schema)]
    if output is Format.JSON:
        print_json({"ok": all(one.holds for one in proved), "bundles": [_proved_json(one) for one in proved]})
    else:
        for one in proved:
            _print_proved(one, lang)
    exit_if(not all(one.holds for one in proved))


def _prove(folder: Path, bundle: Bundle) -> _Proved:
    from node.console.policy_agreement import compare_backends  # noqa: PLC0415  # SQL, which other commands do not wait for

    proofs = prove(bundle)
    return _Proved(
        folder,
        bundle,
        proofs,
        tuple(prove_with_z3(bundle, proof.invariant) if available() else None for proof in proofs),
        tuple(idle_rules(bundle)),
        tuple(needless_parts(bundle)),
        most_disclosed(bundle),
        compare_backends(bundle),
    )


def _proved_json(one: _Proved) -> dict[str, Any]:
    return {
        "folder": str(one.folder),
        "digest": one.bundle.digest,
        "proofs": [_proof_json(proof, verdict) for proof, verdict in zip(one.proofs, one.verdicts, strict=True)],
        "idle": [{"type": idle.type_name, "rule": idle.rule} for idle in one.idle],
        "needless": [
            {"type": part.type_name, "rule": part.rule, "clause": part.clause, "part": part.part, "why": str(part.why)}
            for part in one.needless
        ],
        "disclosed": [dataclasses.asdict(line) for line in one.disclosures],
        "backends": dataclasses.asdict(one.agreement),
    }


def _proof_json(proof: Proof, verdict: Verdict | None) -> dict[str, Any]:
    found = proof.counterexample
    return {
        "invariant": proof.invariant.id,
        "type": proof.invariant.type_name,
        "holds": proof.holds,
        "classes": proof.classes,
        "z3": None if verdict is None else verdict.holds,
        "counterexample": None if found is None else _counterexample_json(found),
    }


def _print_proved(one: _Proved, lang: Language) -> None:
    console, words = out(), PROVING[lang]
    for proof, verdict in zip(one.proofs, one.verdicts, strict=True):
        second = "" if verdict is None else f", z3: {words.verdicts[verdict.holds]}"
        mark = f"[green]{words.holds}[/green]" if proof.holds else f"[red]{words.broken}[/red]"
        where = f"{proof.invariant.type_name}: {proof.invariant.id} ({proof.classes} {words.classes}{second})"
        console.print(f"{mark} {where}", highlight=False)
        if proof.counterexample is not None:
            said = counterexample_sentence(proof.counterexample, proof.invariant.type_name, one.bundle, lang)
            console.print(f"  {said}", markup=False, highlight=False, soft_wrap=True)
        elif verdict is not None and verdict.holds is False:
            console.print(f"  z3: {verdict.counterexample}", markup=False, highlight=False, soft_wrap=True)
    for idle in one.idle:
        console.print(f"[yellow]{words.idle}[/yellow] {idle.type_name}: `{idle.rule}` {words.changes_nothing}")
    for part in one.needless:
        said = f"{part.type_name}: `{part.rule}` {part.clause}: {part.part} · {words.needless[part.why]}"
        console.print(f"[yellow]{words.idle}[/yellow]", end=" ")
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    for difference in one.agreement.disagreements:
        said = f"{difference.backend}: {difference.type_name}: {difference.condition}: {difference.situation}"
        console.print(f"[red]{words.disagrees}[/red]", end=" ")
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    console.print(_disclosed_table(one, words))
    held = sum(proof.holds for proof in one.proofs)
    console.print(
        words.summary.format(
            folder=one.folder,
            held=held,
            proofs=len(one.proofs),
            conditions=one.agreement.conditions,
            situations=one.agreement.situations,
            backends="SQL, closure, z3" if one.agreement.z3 else "SQL, closure",
            differences=len(one.agreement.disagreements),
        ),
        highlight=False,
        soft_wrap=True,
    )


def _disclosed_table(one: _Proved, words: ProvingWords) -> Table:
    table = Table(title=f"{one.folder.name} · {words.disclosed}", title_justify="left")
    for column in (words.category, words.forms, words.purposes, words.kinds):
        table.add_column(column)
    for line in one.disclosures:
        category = f"{line.category} (art. 9)" if line.art9 else line.category
        forms = " ".join(line.forms).replace("[", "\\[")
        table.add_row(category, forms, ", ".join(line.purposes), ", ".join(line.kinds))
    return table


def _counterexample_json(found: Counterexample) -> dict[str, Any]:
    return {
        "field": found.field,
        "form": form_text(found.form),
        "rule": found.rule,
        "kind": found.requester.kind,
        "purpose": found.purpose,
        "situation": situation_phrase(found.requester, found.day, found.row, found.consent, Language.ENGLISH),
    }


def compare_bundles(
    old: Annotated[Path, typer.Argument(help="Folder of the bundle as it is.")],
    new: Annotated[Path, typer.Argument(help="Folder of the bundle as it shall be.")],
    schema: SchemaOption = None,
    lang: LanguageOption = Language.ITALIAN,
    output: FormatOption = Format.TABLE,
) -> None:
    """Say who gains and who loses what between two bundles."""
    with errors_in_words():
        before, after = (one_bundle(folder, schema)[1] for folder in (old, new))
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
        _print_changes(changes, after, lang)
    exit_if(bool(changes))


def _print_changes(changes: list[Change], after: Bundle, lang: Language) -> None:
    console, italian = out(), lang is Language.ITALIAN
    for one in changes:
        gains, loses = ("guadagna", "perde") if italian else ("gains", "loses")
        console.print(f"[red]{gains}[/red]" if one.gains else f"[green]{loses}[/green]", end=" ")
        console.print(change_sentence(one, after, lang), markup=False, highlight=False, soft_wrap=True)
        first = "per esempio" if italian else "for example"
        example = situation_phrase(one.requester, one.day, one.row, one.consent, lang)
        console.print(f"  {first}: {example}", markup=False, highlight=False, soft_wrap=True)
    gains_count = sum(one.gains for one in changes)
    counts = (gains_count, len(changes) - gains_count)
    console.print(
        "{} in più, {} in meno".format(*counts) if italian else "{} gains, {} losses".format(*counts), highlight=False
    )


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "type": change.type_name,
        "field": change.field,
        "kind": change.requester.kind,
        "purpose": change.purpose,
        "gains": change.gains,
        "before": form_text(change.before),
        "after": form_text(change.after),
        "firstSeen": situation_phrase(change.requester, change.day, change.row, change.consent, Language.ENGLISH),
    }


def mutate_bundles(
    policies: PoliciesOption = DEFAULT_FOLDER,
    schema: SchemaOption = None,
    least: Annotated[int, typer.Option("--least", help="Percentage of mutants that must be noticed.")] = 90,
    lang: LanguageOption = Language.ITALIAN,
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
        console, words = out(), WORDS[lang]
        for folder, fates in scored:
            counts = Counter(found for _, found in fates)
            for mutant, found in fates:
                if found is Fate.SURVIVED:
                    console.print(
                        f"[red]{words.survived}[/red] {mutant.type_name}: {mutant.rule}: {mutant.edit}", highlight=False
                    )
            said = ", ".join(f"{counts[one]} {one}" for one in Fate)
            summary = words.noticed.format(folder=folder, score=scores[folder], mutants=len(fates), counts=said)
            console.print(summary, markup=False, highlight=False)
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
    schema: SchemaOption = None,
    lang: LanguageOption = Language.ITALIAN,
    output: FormatOption = Format.TABLE,
) -> None:
    """Decide recorded operations again by a candidate bundle, and list what would be decided otherwise."""
    with errors_in_words():
        _, bundle = one_bundle(policies, schema)
        known = _read(consumers, dict[str, Consumer])
        entries = [_entry(line, number) for number, line in enumerate(_lines(log), start=1)]
        found = replay(bundle, entries, known)
    if output is Format.JSON:
        print_json({"same": not found.shifts, **dataclasses.asdict(found)})
    else:
        console, words = out(), WORDS[lang]
        for one in found.shifts:
            said = words.shift.format(
                consumer=one.consumer,
                purpose=one.purpose,
                coordinate=one.coordinate,
                recorded=one.recorded,
                candidate=words.either.join(one.candidate),
                operations=one.operations,
            )
            console.print(said, markup=False, highlight=False)
        said = words.replayed.format(decisions=found.decisions, operations=found.operations, shifts=len(found.shifts))
        console.print(said, markup=False, highlight=False)
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
