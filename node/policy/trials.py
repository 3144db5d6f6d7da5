"""Running test suites: expected decisions against decided ones, by the oracle and by the plan at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from node.policy.compile import PlanCache
from node.policy.decide import Decider, Situation, decide, supposing_a_crowd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from node.policy.bundle import Bundle
    from node.policy.suites import Case, Suite


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is decided otherwise than expected; `deny` stands for no form."""

    field: str
    expected: str
    decided: str
    rule: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One case and what came of it."""

    suite: Suite
    case: Case
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether every field is decided as expected."""
        return not self.differences


def run_suites(bundle: Bundle) -> Iterator[Trial]:
    """Run every case of every suite."""
    plans = PlanCache(bundle)
    for suite in bundle.suites:
        for case in suite.cases:
            yield Trial(suite, case, tuple(_differences(bundle, plans, suite, case)))


def _differences(bundle: Bundle, plans: PlanCache, suite: Suite, case: Case) -> Iterator[Difference]:
    """Compare a case with the oracle; a plan that differs from the oracle would be a defect of ours, and shows too."""
    compiled = plans.plan(suite.type_name, case.requester, case.purpose, case.day)
    row = supposing_a_crowd(case.row, compiled)
    oracle = decide(bundle, suite.type_name, Situation(case.requester, case.purpose, case.day, row, case.consents))
    plan = Decider(compiled).decide(row, case.consents)
    expected: Mapping[str, str] = {name: str(form) for name, form in case.see.items()}
    for name, decision in oracle.fields.items():
        wanted = expected.get(name, "deny")
        for found in {_text(oracle.form_names(), name), _text(plan.form_names(), name)}:
            if found != wanted:
                yield Difference(name, wanted, found, decision.rule)


def _text(forms: Mapping[str, str], name: str) -> str:
    return forms.get(name, "deny")
