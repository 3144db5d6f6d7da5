"""The commands that look at a policy as a whole: `prove`, `diff`, `mutate` and `replay`."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from federation.contract.entries import Entry
from federation.contract.errors import BadInputError, NotFoundError
from federation.contract.languages import Language
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
from node.console.policy_output import out, print_json, print_line
from node.console.policy_proofs import Verdict, available, prove_with_z3
from node.console.policy_words import change_sentence, counterexample_sentence, situation_phrase
from node.policy.differences import differences
from node.policy.disclosures import Disclosure, most_disclosed
from node.policy.forms import form_text
from node.policy.messages import Message, message, said
from node.policy.mutants import Fate, fate, mutants
from node.policy.needless import Needlessness, NeedlessPart, needless_parts
from node.policy.proving import Counterexample, IdleRule, Proof, idle_rules, prove
from node.policy.replaying import Consumer, Shift, replay

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
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Prove the invariants over every situation, name what never matters, and that SQL, closures and z3 agree."""
    with errors_in_words(lang, output):
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


_VERDICTS: Final = {True: message("holds"), False: message("broken"), None: message("no answer")}
_NEEDLESS: Final = {
    Needlessness.ALWAYS: message("is always true"),
    Needlessness.NEVER: message("is never true"),
    Needlessness.NO_EFFECT: message("changes nothing beside the rest"),
}


def _print_proved(one: _Proved, lang: Language) -> None:
    console = out()
    for proof, verdict in zip(one.proofs, one.verdicts, strict=True):
        colour = "green" if proof.holds else "red"
        console.print(f"[{colour}]{said(_VERDICTS[proof.holds], lang)}[/{colour}]", end=" ")
        print_line(console, said(_proof_line(proof, verdict), lang))
        if proof.counterexample is not None:
            where = counterexample_sentence(proof.counterexample, proof.invariant.type_name, one.bundle, lang)
            print_line(console, f"  {where}")
        elif verdict is not None and verdict.holds is False:
            print_line(console, f"  z3: {verdict.counterexample}")
    for idle in one.idle:
        _print_marked(console, "yellow", message("idle"), _idle_line(idle), lang)
    for part in one.needless:
        line = f"{part.type_name}: `{part.rule}` {part.clause}: {part.part} · {said(_NEEDLESS[part.why], lang)}"
        _print_marked(console, "yellow", message("idle"), line, lang)
    for difference in one.agreement.disagreements:
        line = f"{difference.backend}: {difference.type_name}: {difference.condition}: {difference.situation}"
        _print_marked(console, "red", message("differs"), line, lang)
    console.print(_disclosed_table(one, lang))
    print_line(console, said(_summary(one), lang))


def _proof_line(proof: Proof, verdict: Verdict | None) -> Message:
    return message(
        "{type}: {invariant} ({classes} classes of situations{second})",
        type=proof.invariant.type_name,
        invariant=proof.invariant.id,
        classes=proof.classes,
        second="" if verdict is None else message(", z3: {verdict}", verdict=_VERDICTS[verdict.holds]),
    )


def _idle_line(idle: IdleRule) -> Message:
    return message("{type}: `{rule}` changes no decision", type=idle.type_name, rule=idle.rule)


def _summary(one: _Proved) -> Message:
    return message(
        "{folder}: {held} of {proofs} proofs hold; {conditions} conditions in {situations} situations, {backends} "
        "against the oracle: {differences} differences",
        folder=one.folder,
        held=sum(proof.holds for proof in one.proofs),
        proofs=len(one.proofs),
        conditions=one.agreement.conditions,
        situations=one.agreement.situations,
        backends="SQL, closure, z3" if one.agreement.z3 else "SQL, closure",
        differences=len(one.agreement.disagreements),
    )


def _print_marked(console: Console, colour: str, mark: Message, text: str, lang: Language) -> None:
    console.print(f"[{colour}]{said(mark, lang)}[/{colour}]", end=" ")
    print_line(console, said(text, lang))


def _disclosed_table(one: _Proved, lang: Language) -> Table:
    heading = said(message("what is disclosed at most"), lang)
    table = Table(title=f"{one.folder.name} · {heading}", title_justify="left")
    for column in (message("category"), message("forms"), message("purposes"), message("to whom")):
        table.add_column(said(column, lang))
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
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Say who gains and who loses what between two bundles."""
    with errors_in_words(lang, output):
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
    console = out()
    for one, fields in _grouped(changes):
        colour, mark = ("red", message("gains")) if one.gains else ("green", message("loses"))
        _print_marked(console, colour, mark, change_sentence(one, fields, after, lang), lang)
        example = situation_phrase(one.requester, one.day, one.row, one.consent, lang)
        print_line(console, "  " + said(message("for example: {situation}", situation=example), lang))
    gains = sum(one.gains for one in changes)
    print_line(console, said(message("{gains} gains, {losses} losses", gains=gains, losses=len(changes) - gains), lang))


def _grouped(changes: list[Change]) -> list[tuple[Change, list[str]]]:
    """Put fields together of which everything else is the same: an officer reads one line for all of them."""
    groups: list[tuple[Change, list[str]]] = []
    for change in changes:
        fields = next((those for one, those in groups if dataclasses.replace(one, field=change.field) == change), None)
        if fields is None:
            groups.append((change, [change.field]))
        else:
            fields.append(change.field)
    return groups


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
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Edit the policy carelessly, one rule at a time, and say what tests, invariants and matrix.lock notice."""
    with errors_in_words(lang, output):
        scored = [(folder, _fates(bundle)) for folder, bundle in bundles_in(policies, schema)]
    scores = {folder: _score(fates) for folder, fates in scored}
    failed = any(score < least for score in scores.values())
    if output is Format.JSON:
        print_json({"ok": not failed, "bundles": [_mutation_json(folder, fates) for folder, fates in scored]})
    else:
        for folder, fates in scored:
            _print_fates(folder, fates, lang)
    exit_if(failed)


def _fates(bundle: Bundle) -> list[tuple[Mutant, Fate]]:
    return [(mutant, fate(bundle, mutant)) for mutant in mutants(bundle)]


_FATES: Final = {
    Fate.TESTS: message("killed by tests"),
    Fate.INVARIANTS: message("killed by invariants"),
    Fate.MATRIX: message("killed by matrix.lock"),
    Fate.SURVIVED: message("survived"),
    Fate.EQUIVALENT: message("equivalent"),
}


def _print_fates(folder: Path, fates: list[tuple[Mutant, Fate]], lang: Language) -> None:
    console, counts = out(), Counter(found for _, found in fates)
    for mutant, found in fates:
        if found is Fate.SURVIVED:
            line = f"{mutant.type_name}: {mutant.rule}: {said(mutant.edit, lang)}"
            _print_marked(console, "red", message("unnoticed"), line, lang)
    noticed = message(
        "{folder}: {score} % noticed of {mutants} mutants: {counts}",
        folder=folder,
        score=_score(fates),
        mutants=len(fates),
        counts=", ".join(f"{said(_FATES[one], lang)} {counts[one]}" for one in Fate),
    )
    print_line(console, said(noticed, lang))


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
    output: FormatOption = Format.TABLE,
    *,
    lang: LanguageOption,
) -> None:
    """Decide recorded operations again by a candidate bundle, and list what would be decided otherwise."""
    with errors_in_words(lang, output):
        _, bundle = one_bundle(policies, schema)
        known = _read(consumers, dict[str, Consumer])
        entries = [_entry(line, number) for number, line in enumerate(_lines(log), start=1)]
        found = replay(bundle, entries, known)
    if output is Format.JSON:
        print_json({"same": not found.shifts, **dataclasses.asdict(found)})
    else:
        console = out()
        for one in found.shifts:
            print_line(console, said(_shift_line(one, lang), lang))
        summary = message(
            "{decisions} decisions of {operations} operations, {shifts} would be others",
            decisions=found.decisions,
            operations=found.operations,
            shifts=len(found.shifts),
        )
        print_line(console, said(summary, lang))
    exit_if(bool(found.shifts))


def _shift_line(one: Shift, lang: Language) -> Message:
    return message(
        "{consumer} for {purpose}: {coordinate} {recorded} → {candidate} ({operations} operations)",
        consumer=one.consumer,
        purpose=one.purpose,
        coordinate=one.coordinate,
        recorded=one.recorded,
        candidate=said(message(" or "), lang).join(one.candidate),
        operations=one.operations,
    )


def _lines(path: Path) -> list[bytes]:
    if not path.is_file():
        raise NotFoundError(message("file `{path}` does not exist", path=path))
    return [line for line in path.read_bytes().splitlines() if line.strip()]


def _entry(line: bytes, number: int) -> Entry:
    try:
        return msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError as error:
        raise BadInputError(
            message("line {number} of the log is not a journal entry: {error}", number=number, error=error)
        ) from error


def _read(path: Path, shape: type[dict[str, Consumer]]) -> dict[str, Consumer]:
    try:
        return msgspec.json.decode(b"".join(_lines(path)), type=shape)
    except msgspec.DecodeError as error:
        raise BadInputError(
            message("`{path}` does not say kind and area of each consumer: {error}", path=path, error=error)
        ) from error
