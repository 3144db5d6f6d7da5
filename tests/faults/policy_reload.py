"""Publish another policy again and again while questions run, and hold every answer against the one that it names.

    python tests/faults/policy_reload.py [--reloads 100] [--quick] [--planted-defect]

Criterion S11. A partner asks without pause; every other revision of the municipality's policy denies two names. Each
answer of the node names the revision that decided: both names must be there or neither, as that revision says, and no
revision may come back after the next one. Every tenth time a revision stands there of which a file was changed after it
was signed: that must be told in the log, and the last good revision decides on. With `--planted-defect` the node names
a policy before it decides by it, which must be found. The last line counts what went wrong; exit code 1 when anything
did.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from node.console.policy_store import PolicyStore, next_manifest, read_officers, signed
from node.policy.signing import Envelope, Role
from tests.faults.field import Field, founded, say, verdict

NODE = "c_m999"
QUESTION = "query($by: CitizenKey!) { citizen(by: $by) { givenName familyName } }"
TYPE = "types/Citizen.yaml"
DENIED = b"  - {id: no-names, fields: [givenName, familyName]}\n"
WORKERS = 8
_PATIENCE = 10.0
_REFUSED = "stays in force"


@dataclass(slots=True)
class Officers:
    """Author and approver of the municipality, and which of their revisions deny."""

    field_: Field
    denying: dict[int, bool] = field(default_factory=lambda: {1: False})

    @property
    def store(self) -> PolicyStore:
        """Where they publish."""
        return PolicyStore(self.field_.demo.home.party(NODE) / "policies")

    def publish(self, *, deny: bool) -> int:
        """Publish the next revision, and return its number."""
        files, envelope = self._next(deny=deny)
        self.denying[envelope.manifest.revision] = deny
        self.store.publish(files, envelope, read_officers(self._keys / "officers.json"))
        return envelope.manifest.revision

    async def spoil(self) -> bool:
        """Let a revision stand there of which a file was changed after signing; return whether the node says so."""
        files, envelope = self._next(deny=True)
        log = self.field_.demo.home.logs / f"{NODE}.log"
        said, until = log.read_text().count(_REFUSED), time.monotonic() + _PATIENCE
        self.store._keep({**files, TYPE: files[TYPE] + b"# changed\n"}, envelope)
        while log.read_text().count(_REFUSED) == said and time.monotonic() < until:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
        return log.read_text().count(_REFUSED) > said

    @property
    def _keys(self) -> Path:
        return self.field_.demo.home.party(NODE) / "officers"

    def _next(self, *, deny: bool) -> tuple[dict[str, bytes], Envelope]:
        current = self.store.current()
        assert current is not None
        text = current.files[TYPE].removesuffix(b"# changed\n").removesuffix(DENIED) + (DENIED if deny else b"")
        files = {**current.files, TYPE: text}
        envelope = Envelope(next_manifest(files, current.envelope.manifest))
        for role in Role:
            envelope = signed(envelope, role, self._keys / f"{role}.pem")
        return files, envelope


@dataclass(slots=True)
class Toll:
    """What answers said, and what was wrong."""

    answers: int = 0
    mixed: int = 0
    back: int = 0
    newest: int = 0

    def note(self, content: Mapping[str, Any], officers: Officers) -> None:
        """Hold one answer against the revision that it names."""
        citizen = (content.get("data") or {}).get("citizen")
        members = {each["member"]: each for each in content.get("extensions", {}).get("privacy", {}).get("members", ())}
        if citizen is None or NODE not in members:
            return
        self.answers += 1
        revision = members[NODE]["policy"]["revision"]
        denied = officers.denying.get(revision)  # None: a spoilt one, which must never decide
        self.mixed += {citizen["givenName"] is None, citizen["familyName"] is None} != {denied}
        # Questions that run together end in any order: one revision back is what was in force when one began.
        self.back += revision < self.newest - 1
        self.newest = max(self.newest, revision)


async def _ask(field_: Field, officers: Officers, toll: Toll, number: int) -> None:
    known = [citizen["id"] for citizen in field_.expected.values()]
    partner = field_.demo.partner(field_.consumer)
    agreement = partner.agreement_for(field_.purpose).id
    async with field_.client() as client:
        while True:
            number += 1
            asked = {"by": {"id": known[number % len(known)]}}
            toll.note((await client.ask(QUESTION, field_.purpose, agreement, asked)).content, officers)


async def campaign(reloads: int, *, planted: bool) -> int:
    """Publish that often."""
    late = unsaid = spoilt = 0
    slowest = 0.0
    with founded() as demo:
        field_, toll = Field(demo), Toll()
        await field_.learn()
        if planted:
            await field_.restart(NODE, module="tests.faults.mixing_node")
        officers = Officers(field_)
        asking = [asyncio.create_task(_ask(field_, officers, toll, 100 * number)) for number in range(WORKERS)]
        began = time.monotonic()
        for number in range(reloads):
            revision = officers.publish(deny=number % 2 == 0)
            published = time.monotonic()
            while toll.newest < revision and time.monotonic() - published < _PATIENCE:  # noqa: ASYNC110  # of processes
                await asyncio.sleep(0.05)
            late += toll.newest < revision
            slowest = max(slowest, time.monotonic() - published)
            if number % 10 == 5:
                spoilt += 1
                unsaid += not await officers.spoil()
                say(f"{number + 1:4} revisions  {toll.answers:6} answers  {toll.mixed:3} mixed")
        took = time.monotonic() - began
        broken = [task for task in asking if task.done()]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        demo.processes.__exit__(None, None, None)
        corrupt = field_.corrupt()
    return verdict(
        f"{reloads} revisions published under {toll.answers / took:.0f} answers a second, {toll.answers} answers, each "
        f"revision decides within {slowest:.1f} s: {toll.mixed} not as the revision they name, {toll.back} by an older "
        f"one, {late} revisions not taken, {unsaid} of {spoilt} spoilt ones not told, {len(broken)} refused, "
        f"{len(corrupt)} ledgers corrupt",
        toll.mixed + toll.back + late + unsaid + len(broken) + len(corrupt),
    )


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="policies that change under running questions")
    parser.add_argument("--reloads", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="12 reloads")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    return asyncio.run(campaign(12 if asked.quick else asked.reloads, planted=asked.planted_defect))


if __name__ == "__main__":
    sys.exit(main())
