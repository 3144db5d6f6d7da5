"""Mutants: a bundle with one careless edit each, to measure what tests, invariants and the matrix would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from node.policy.conditions import TRUE
from node.policy.differences import differences
from node.policy.documents import Combination, Grant, TypeDocument, Window
from node.policy.forms import CLEAR
from node.policy.matrix import lock_text
from node.policy.messages import message
from node.policy.proving import prove
from node.policy.trials import run_suites

if TYPE_CHECKING:
    from node.policy.bundle import Bundle
    from node.policy.vocabulary import Vocabulary

_FOREVER: Final = date(9999, 12, 30)


class Fate(StrEnum):
    """What noticed a mutant, the earliest of the three; or that there is nothing to notice."""

    TESTS = "killed by tests"
    INVARIANTS = "killed by invariants"
    MATRIX = "killed by matrix.lock"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bundle with one edit, and what the edit was."""

    type_name: str
    rule: str
    edit: str
    bundle: Bundle


def mutants(bundle: Bundle) -> Iterator[Mutant]:
    """Yield every single edit of every rule."""
    for name, document in sorted(bundle.types.items()):
        for position, grant in enumerate(document.grants):
            for edit, changed in _grant_edits(grant, document, bundle.vocabulary):
                grants = (*document.grants[:position], changed, *document.grants[position + 1 :])
                yield Mutant(name, grant.id, edit, _with(bundle, replace(document, grants=grants)))
        for position, rule in enumerate(document.prohibitions):
            rest = (*document.prohibitions[:position], *document.prohibitions[position + 1 :])
            yield Mutant(
                name, rule.id, message("drop the prohibition"), _with(bundle, replace(document, prohibitions=rest))
            )
        for position, kept in enumerate(document.never_together):
            others = (*document.never_together[:position], *document.never_together[position + 1 :])
            yield Mutant(
                name, kept.id, message("drop the combination"), _with(bundle, replace(document, never_together=others))
            )


def _with(bundle: Bundle, document: TypeDocument) -> Bundle:
    return replace(bundle, types={**bundle.types, document.name: document})


def _grant_edits(grant: Grant, document: TypeDocument, vocabulary: Vocabulary) -> Iterator[tuple[str, Grant]]:
    if grant.rows != TRUE:
        yield message("every row"), replace(grant, rows=TRUE)
    root = vocabulary.lineage(grant.purpose)[-1]
    if root != grant.purpose:
        yield message("for all of {purpose}", purpose=root), replace(grant, purpose=root)
    every_basis = tuple(sorted(vocabulary.legal_bases.keys() - vocabulary.special_bases))
    if set(grant.basis) != set(every_basis):
        yield message("any legal basis"), replace(grant, basis=every_basis)
    if set(grant.kinds) != set(vocabulary.kinds):
        yield message("any requester"), replace(grant, kinds=vocabulary.kinds)
    yield message("no expiry"), replace(grant, valid=Window(grant.valid.first, _FOREVER))
    if grant.consent is not None:
        yield message("no consent"), replace(grant, consent=None)
    if grant.aggregates is not None and grant.aggregates.alike is not None:
        yield message("rows alike or not"), replace(grant, aggregates=replace(grant.aggregates, alike=None))
    for name, form in grant.see.items():
        if form != CLEAR:
            yield message("unmask {name}", name=name), replace(grant, see={**grant.see, name: CLEAR})
        yield (
            message("remove {name}", name=name),
            replace(grant, see={key: value for key, value in grant.see.items() if key != name}),
        )
    for name in document.fields:
        if name not in grant.see:
            yield message("add {name}", name=name), replace(grant, see={**grant.see, name: CLEAR})


def fate(bundle: Bundle, mutant: Mutant) -> Fate:
    """Say what notices a mutant; only what changes a decision somewhere can be noticed.

    Raises:
        TooManySituationsError: a condition compares with more values than can be tried.
    """
    # The other types are as they were: only the mutated one needs another look.
    alone = replace(
        mutant.bundle,
        types={mutant.type_name: mutant.bundle.types[mutant.type_name]},
        suites=tuple(suite for suite in bundle.suites if suite.type_name == mutant.type_name),
        invariants=tuple(one for one in bundle.invariants if one.type_name == mutant.type_name),
    )
    original = replace(bundle, types={mutant.type_name: bundle.types[mutant.type_name]})
    noticing: dict[Fate, Callable[[], bool]] = {
        Fate.TESTS: lambda: any(not trial.passed for trial in run_suites(alone)),
        Fate.INVARIANTS: lambda: any(not proof.holds for proof in prove(alone)),
        # A combination changes no decision by itself: what one consumer was told before decides.
        Fate.EQUIVALENT: lambda: (
            _combinations(original) == _combinations(alone) and next(differences(original, alone), None) is None
        ),
        Fate.MATRIX: lambda: lock_text(alone) != lock_text(original),
    }
    return next((found for found, notices in noticing.items() if notices()), Fate.SURVIVED)


def _combinations(bundle: Bundle) -> list[Combination]:
    return [rule for document in bundle.types.values() for rule in document.never_together]
