"""An activity whose accesses show later (docs/adr/0016): kept back for the agreed days by every node, then shown."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from federation.consumer.access import ACCESS_REPORT, AccessReport, disclosures, read_report
from federation.consumer.portal import KNOWN_CITIZENS, find_citizen
from federation.contract.identifiers import PORTAL
from federation.demo.founding import stamp
from federation.demo.layout import Home
from tests.support.demo import REPOSITORY, demo_charter, found_with_members
from tests.support.simulator import CITIZENS, PORTS, Simulator, simulated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

CHILD = "FRRSFO14E54F257M"
SEALED = ("inprev", "benefit-assessment")
OPEN = ("istsc_bv01", "school-enrolment")
NAME = "query($by: CitizenKey!) { citizen(by: $by) { givenName } }"


def found(root: Path) -> Home:
    """Found a federation whose officers agreed that one activity is sealed for a day."""
    charter = demo_charter()
    agreements = [
        msgspec.structs.replace(each, sealed={SEALED[1]: 1}) if each.consumer == SEALED[0] else each
        for each in charter.agreements
    ]
    home = Home(root)
    sealing = msgspec.structs.replace(charter, agreements=type(charter.agreements)(agreements))
    found_with_members(home, sealing, PORTS, CITIZENS)
    shutil.copytree(REPOSITORY / "policies", root / "policies")
    return home


async def reported(federation: Simulator) -> AccessReport:
    """Ask who looked, as the portal, and verify the answer."""
    citizen = find_citizen(federation.home.party(PORTAL) / KNOWN_CITIZENS, CHILD)
    answer = await federation.ask(PORTAL, "access-report", ACCESS_REPORT, {"citizen": citizen})
    return read_report(answer.content, federation.process.registry.current(), answer.request.digest())


def purposes(report: AccessReport) -> set[str]:
    """Return for which purposes data left, as the citizen is told."""
    return {access.entry.purpose for access in disclosures(report)}


def renewed(federation: Simulator) -> None:
    """Let everybody act on the newest member list."""
    federation.process.registry.renew()
    for node in federation.nodes.values():
        node.registry.renew()


async def test_a_sealed_access_shows_after_its_days_and_the_activity_is_named_at_once(tmp_path: Path) -> None:
    async with simulated(found(tmp_path / "founded"), tmp_path / "home") as federation:
        assert (await federation.ask(*SEALED, NAME, {"by": {"taxCode": CHILD}})).content["data"]["citizen"]
        assert (await federation.ask(*OPEN, NAME, {"by": {"taxCode": CHILD}})).content["data"]["citizen"]

        early = await reported(federation)
        assert (early.whole, early.gaps) == (True, ())
        assert purposes(early) == {OPEN[1]}
        assert early.sealed == {SEALED: 1}

        federation.forward(timedelta(days=1, seconds=1))
        stamp(federation.home, federation.clock)  # the list of yesterday has expired
        renewed(federation)
        late = await reported(federation)
        assert (late.whole, late.gaps) == (True, ())
        assert purposes(late) == {OPEN[1], SEALED[1]}
        assert late.sealed == early.sealed
