"""What one operation may disclose, collected while it is compiled: decisions, and where a denial shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from federation.contract.decisions import FieldDecision
from federation.contract.errors import ThresholdError
from node.data.selection import Selected
from node.policy.forms import CLEAR, FormName, form_of_question
from node.policy.plans import FieldPlan, ResidualGrant, thresholds_of

DENY: Final = "deny"
Path: TypeAlias = tuple[str, ...]
"""Response keys from the root, without list positions."""

_DURATION: Final = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T.*)?")
_DAYS: Final = (365, 30, 7, 1)


@dataclass(slots=True)
class Disclosures:
    """The decisions of one operation, and the paths of the fields that it denies whatever the row."""

    decided: dict[tuple[str, str, bool], FieldDecision] = field(default_factory=dict)
    denied: list[Path] = field(default_factory=list)

    def shown(self, type_name: str, name: str, decided: FieldPlan, grants: Sequence[ResidualGrant]) -> None:
        """Record that a field may be shown under some of its grants, most disclosing first."""
        self._record(
            FieldDecision(
                coordinate=f"{type_name}.{name}",
                form=str(grants[0].form.name),
                grants=tuple(dict.fromkeys(grant.id for grant in grants)),
                law=tuple(dict.fromkeys(grant.law for grant in grants)),
                retain=min((grant.retain for grant in grants), key=duration_days),
                conditional=decided.constant is None,
            )
        )

    def refused(self, type_name: str, name: str, path: Path | None) -> None:
        """Record that a field is denied; `path` is where an error says so, None where no row is there anyway."""
        self._record(FieldDecision(coordinate=f"{type_name}.{name}", form=DENY))
        if path is not None:
            self.denied.append(path)

    def joined(self, type_name: str, name: str) -> None:
        """Record that a key travels to the gateway as a pseudonym."""
        self._record(FieldDecision(coordinate=f"{type_name}.{name}", form=str(FormName.CLEAR), join_key=True))

    def all(self) -> tuple[FieldDecision, ...]:
        """Return every decision once, by coordinate."""
        return tuple(self.decided[key] for key in sorted(self.decided))

    def _record(self, decision: FieldDecision) -> None:
        self.decided[decision.coordinate, decision.form, decision.join_key] = decision


def grants_on_objects(decided: FieldPlan) -> tuple[ResidualGrant, ...]:
    """Return the grants that open a relation: an object is shown or not, its own fields have their own forms."""
    return tuple(grant for grant in decided.shown if grant.form == CLEAR)


def grants_asked(each: Selected, decided: FieldPlan | None) -> tuple[ResidualGrant, ...]:
    """Return the grants by which a question about a field may be answered; none where it is denied whatever the row.

    Raises:
        ThresholdError: it asks about an age, and of its grants none lists it. Only who has such a grant learns this.
    """
    if decided is None or not decided.may_be_seen:
        return ()
    form = form_of_question(each.field)
    if form is None:
        return ()
    grants = decided.asked_by(form)
    if form is not FormName.AGE_OVER:
        return grants
    years = each.arguments["years"]
    thresholds = thresholds_of(grants)
    if grants and years not in thresholds:
        told = ", ".join(map(str, thresholds))
        raise ThresholdError(f"`{each.field}` may be asked for these ages only: {told}", thresholds=list(thresholds))
    return tuple(grant for grant in grants if years in thresholds_of([grant]))


def duration_days(duration: str) -> int:
    """Return about how many days an ISO 8601 duration lasts, to find the shortest."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        return 0
    return sum(int(count or 0) * days for count, days in zip(found.groups(), _DAYS, strict=True))


def occurrences(value: Any, path: Path, above: list[str | int]) -> list[list[str | int]]:
    """Return every place of an answer at which a path ends, with list positions; nothing is below a null."""
    return [[*place, path[-1]] for place, _ in objects_at(value, path[:-1], above)]


def objects_at(value: Any, path: Path, above: list[str | int]) -> list[tuple[list[str | int], dict[str, Any]]]:
    """Return every object of an answer to which a path leads, with its place."""
    reached = _objects([(above, value)])
    for key in path:
        reached = _objects([([*place, key], found.get(key)) for place, found in reached])
    return reached


def _objects(reached: Sequence[tuple[list[str | int], Any]]) -> list[tuple[list[str | int], dict[str, Any]]]:
    """Return the objects at places of an answer; those of a list with their position in it."""
    objects: list[tuple[list[str | int], dict[str, Any]]] = []
    for place, found in reached:
        if isinstance(found, dict):
            objects.append((place, found))
        elif isinstance(found, list):
            objects += _objects([([*place, index], each) for index, each in enumerate(found)])
        elif isinstance(found, msgspec.Raw):
            # A document that is passed on: what is denied in it is one of its own members.
            objects.append((place, {}))
    return objects
