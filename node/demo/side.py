"""The members' part of the demo, as `federation.demo.members_side` wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from node.console.policy_folders import shared_policies_folder
from node.data.mapping import Mapping
from node.demo.expectations import Expected, expected_answers
from node.demo.officers import publish_policy
from node.demo.seed import TRUTH, Pseudonym, SeedReport, Subject, demo_files, seed
from node.policy.bundle import VOCABULARY_FILE
from node.server.policies import load_decisions
from node.subgraph.schema import NodeSchema, asked_coordinates
from node.vocabulary.schema import full_schema


class DemoMembers:
    """The demo's five members: their files ship with the code."""

    @property
    def files(self) -> Path:
        """The folder of the demo's files."""
        return demo_files()

    @property
    def vocabulary(self) -> Path:
        """The policy vocabulary that their bundles share."""
        return shared_policies_folder() / VOCABULARY_FILE

    def seed(
        self,
        home: Path,
        citizens: int,
        progress: Callable[[int, int], None],
        pseudonym: Pseudonym,
        subject: Subject,
    ) -> SeedReport:
        """Make the people and write them into the registers (`node.demo.seed`)."""
        return seed(home, citizens, progress, pseudonym, subject=subject)

    def publish_policy(self, member: str, party: Path) -> dict[str, str]:
        """Sign a member's bundle and bring it into force (`node.demo.officers`)."""
        return publish_policy(party, shared_policies_folder() / member)

    def published_sdl(self, member: str) -> str:
        """Return the schema that a member publishes to the federation."""
        mapping = Mapping.parse((demo_files() / member / "node.yaml").read_text(encoding="utf-8"))
        decisions = load_decisions(shared_policies_folder() / member)
        asked = asked_coordinates(decisions.bundle.types.values())
        return NodeSchema.build(full_schema(), mapping, asked).published_sdl

    def showcases(self, home: Path, today: date, pseudonym: Pseudonym) -> Iterator[Expected]:
        """Yield the questions of the check (`node.demo.expectations`)."""
        return expected_answers(home / TRUTH, demo_files() / "queries", today, pseudonym)
