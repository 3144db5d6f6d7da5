"""`crocevia demo --check`: showcase questions against answers worked out from the seed, and what faults leave whole.

What an answer must be comes in as a function: it is computed on the nodes' side of the house, from the synthetic people
and the policies' sentences, by nobody who could ask a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.table import Table
from rich.text import Text

from federation.consumer.access import ACCESS_REPORT, REPORT_PURPOSE, disclosures, read_report
from federation.consumer.commands import Partner
from federation.contract.identifiers import PORTAL
from federation.demo.asking import ask
from federation.demo.layout import Home
from federation.demo.ledgers import LedgerFinding

STOPPED = "aslvs"
"""The node that the check stops, to see that the others' answers stay whole."""


class Showcase(Protocol):
    """One question of the check, with the judge of its answer."""

    @property
    def name(self) -> str: ...  # the class says it
    @property
    def consumer(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def variables(self) -> Mapping[str, Any]: ...

    def faults(self, answer: Mapping[str, Any]) -> Sequence[str]:
        """Return what is wrong with an answer, one line each, without values."""
        ...


@dataclass(slots=True)
class Findings:
    """What was checked, and what was wrong with each."""

    rows: list[tuple[str, Sequence[str]]] = field(default_factory=list)

    def note(self, name: str, faults: Iterable[str]) -> None:
        """Keep the outcome of one check."""
        self.rows.append((name, list(faults)))

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not any(faults for _, faults in self.rows)

    def table(self) -> Table:
        """Return the outcomes for people: one line each, faults below their check."""
        table = Table(title="demo --check", show_lines=False)
        table.add_column("check")
        table.add_column("outcome", overflow="fold")
        for name, faults in self.rows:
            table.add_row(name, Text("\n".join(faults), "red") if faults else Text("as expected", "green"))
        return table


async def check_answers(home: Home, showcases: Iterable[Showcase], findings: Findings) -> None:
    """Ask every showcase question and judge the answer."""
    for showcase in showcases:
        asked = await ask(home, showcase.consumer, showcase.purpose, showcase.query, dict(showcase.variables))
        findings.note(showcase.name, showcase.faults(asked.answer))


async def check_partial(home: Home, showcase: Showcase, whole: Mapping[str, Any], findings: Findings) -> None:
    """With `STOPPED` down: its fields are null with an error that names it, everybody else's are unchanged."""
    asked = await ask(home, showcase.consumer, showcase.purpose, showcase.query, dict(showcase.variables))
    errors = [error for error in asked.answer.get("errors", ()) if error["extensions"]["code"] != "FIELD_DENIED"]
    faults = []
    if not errors:
        faults.append("no error names the stopped node")
    faults += [
        f"error {error['extensions'].get('code')} of {error['extensions'].get('member')} at {error.get('path')}"
        for error in errors
        if error["extensions"].get("code") != "NODE_UNAVAILABLE"
        or error["extensions"].get("member") != STOPPED
        or not error.get("path")
    ]
    lost = {path[-1] for error in errors for path in error["extensions"].get("paths", [error.get("path") or [""]])}
    citizen, before = asked.answer["data"]["citizen"], whole["data"]["citizen"]
    faults += [
        f"`{name}` changed although its node works"
        for name in before
        if name not in lost and citizen.get(name) != before[name]
    ]
    if asked.answer["extensions"]["privacy"]["unavailable"] != [STOPPED]:
        faults.append("`extensions.privacy.unavailable` does not name the stopped node")
    findings.note(f"partial answer while `{STOPPED}` is stopped", faults)


async def check_report(home: Home, pseudonym: str, consumers: Sequence[str], findings: Findings) -> None:
    """The citizen's report shows everybody who looked, proved, and names the stopped node as a gap."""
    asked = await ask(home, PORTAL, REPORT_PURPOSE, ACCESS_REPORT, {"citizen": pseudonym})
    if not asked.answer.get("data"):
        findings.note("the citizen's report", [f"refused: {asked.answer.get('errors')}"])
        return
    report = read_report(asked.answer, Partner.open(home.root, PORTAL).members, asked.request_digest)
    seen = {access.entry.consumer for access in disclosures(report)}
    faults = [f"`{consumer}` looked and is not in the report" for consumer in consumers if consumer not in seen]
    faults += [f"an entry of `{access.member}` is not proved" for access in report.accesses if not access.proved]
    faults += [f"entries of `{member}` were left out on the way" for member in report.incomplete]
    if report.gaps != (STOPPED,):
        faults.append(f"gaps are {report.gaps}, expected `{STOPPED}`")
    findings.note(f"the citizen's report: {len(report.accesses)} entries, proved", faults)


def check_ledgers(ledgers: Iterable[LedgerFinding], findings: Findings) -> None:
    """Every ledger is whole, signed and not empty."""
    for ledger in ledgers:
        faults = [ledger.fault] if ledger.fault else [] if ledger.entries else ["nothing was recorded"]
        findings.note(f"ledger of {ledger.party}: {ledger.entries} entries", faults)
