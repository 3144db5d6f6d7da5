"""Kill the writing node and the subscriber at random moments, and count signals that were lost or doubled.

    python tests/faults/signal_kill.py [--kills 30] [--quick] [--planted-defect]

A partner writes without pause, each write repeated under its key until it is acknowledged; its own subscriber takes in
what the node tells of it, over real sockets. The node is killed with SIGKILL and started again; the subscriber stops
now and then between a page and its cursor, before or after it took the page in. In the end every row of the outbox must
have been told exactly one name, in order, and however often it was told, under that name. With `--planted-defect` the
subscriber keeps the cursor first, which must be found. Exit code 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.consumer.client import Refused
from federation.consumer.subscribing import Kept, Page, Subscription
from federation.contract.errors import CroceviaError, UnavailableError
from federation.contract.identifiers import MemberId
from federation.demo.founding import EXCHANGE_MASTER_KEY
from federation.linkage.siv import SivSuite
from federation.trust.keys import read_secret
from node.demo.seed import read_truth
from tests.faults.field import Field, founded, say, verdict
from tests.integration.test_writes import FEEDBACK

NODE, CONSUMER, PURPOSE = "c_m999", "coop_ponte", "social-support"


class _StoppedError(UnavailableError):
    """The subscriber stops between a page and its cursor: for its loop, as if nobody had answered."""


@dataclass(slots=True)
class Subscriber:
    """Whoever takes signals in: by name how often, and the names in the order of their first coming."""

    taken: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    stops: int = 0

    def take_in(self, signals: Any) -> None:
        """Take a page in; stop at every second one, before and after that in turn, before its cursor is kept."""
        turn, self.pages = self.pages % 4, self.pages + bool(signals)
        if signals and turn == 0:
            self._stop()
        for each in signals:
            name = str(each["id"])
            self.taken[name] = self.taken.get(name, 0) + 1
        if signals and turn == 2:  # the third of four
            self._stop()

    def _stop(self) -> None:
        self.stops += 1
        raise _StoppedError("the subscriber was stopped")


class _Hasty(Subscription):
    """A subscription with a planted defect: the cursor is kept before the page is taken in."""

    @override
    async def _page(self, cursor: str | None) -> Page:
        page = await super()._page(cursor)
        self.kept.keep(page.cursor)
        return page


@dataclass(slots=True)
class Writer:
    """A partner that writes one opinion after the other, each until it is acknowledged."""

    ground: Field
    people: list[str]
    acknowledged: int = 0
    wrote: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Write until cancelled."""
        agreement = self.ground.demo.partner(CONSUMER).agreement_for(PURPOSE)
        async with self.ground.client() as client:
            while True:
                given = {"citizen": self.people[self.acknowledged % len(self.people)], "service": "S1", "rating": 3}
                variables = {"input": given, "key": f"opinion-{self.acknowledged:06}"}
                with suppress(CroceviaError, Refused):
                    content = (await client.ask(FEEDBACK, PURPOSE, agreement.id, variables)).content
                    if (content.get("data") or {}).get("giveFeedback"):
                        self.acknowledged += 1
                        self.wrote.set()
                        continue
                await asyncio.sleep(0.05)

    async def goes_on(self) -> None:
        """Wait until writes are acknowledged again: the gateway's breaker needs a probe first."""
        self.wrote.clear()
        await self.wrote.wait()


async def campaign(kills: int, kind: type[Subscription]) -> int:
    """Kill the node that many times, and say what was lost."""
    dice = Random(20261128)
    with founded() as demo, tempfile.TemporaryDirectory() as folder:
        ground = Field(demo, consumer=CONSUMER, purpose=PURPOSE)
        subscriber, writer = Subscriber(), Writer(ground, _people(ground))
        async with ground.client() as client:
            agreement = demo.partner(CONSUMER).agreement_for(PURPOSE)

            async def ask(query: str, variables: dict[str, Any]) -> dict[str, Any]:
                try:
                    return (await client.ask(query, PURPOSE, agreement.id, variables)).content
                except Refused as refused:
                    raise UnavailableError(refused.message) from refused

            async def sleep(seconds: float) -> None:
                await asyncio.sleep(min(seconds, 0.5))

            kept = Kept(Path(folder) / "place")
            subscription = kind(NODE, ask, kept, subscriber.take_in, sleep, dice.random)
            await subscription.catch_up()  # from now on
            following = asyncio.create_task(subscription.follow(every=0.1))
            writing = asyncio.create_task(writer.work())
            for number in range(kills):
                await writer.goes_on()
                await asyncio.sleep(dice.uniform(0.1, 1.0))
                ground.kill(NODE)
                await ground.start(ground.program(NODE))
                if number % 10 == 9:  # a line for every ten
                    say(f"{number + 1:4} kills  {writer.acknowledged:6} writes  {len(subscriber.taken):6} signals")
            writing.cancel()
            following.cancel()
            await asyncio.gather(writing, following, return_exceptions=True)
            await _caught_up(subscription)
        events = _events(ground)
    again = sum(times > 1 for times in subscriber.taken.values())
    lost = max(0, events - len(subscriber.taken))
    strange = max(0, len(subscriber.taken) - events)
    unwritten = max(0, writer.acknowledged - events)
    return verdict(
        f"{kills} kills of the node, {subscriber.stops} stops of the subscriber, {writer.acknowledged} acknowledged "
        f"writes, {events} events: {lost} lost, {strange} under a second name, {unwritten} acknowledged and not "
        f"written; {again} told again under their name",
        lost + strange + unwritten,
    )


async def _caught_up(subscription: Subscription) -> None:
    while True:
        try:
            await subscription.catch_up()
        except UnavailableError:
            await asyncio.sleep(0.5)
        else:
            return


def _people(ground: Field) -> list[str]:
    suite = SivSuite(read_secret(ground.demo.home.keys("exchange") / EXCHANGE_MASTER_KEY))
    with closing(sqlite3.connect(ground.demo.home.party(NODE) / "register.db")) as register:
        known = {code for (code,) in register.execute("SELECT COD_FISC FROM ANAGRAFE")}
    people = read_truth(ground.demo.home.root / "truth.ndjson")
    return [str(suite.pseudonym(MemberId(CONSUMER), each.subject_id)) for each in people if each.tax_code in known]


def _events(ground: Field) -> int:
    with closing(sqlite3.connect(ground.state(NODE) / "own.db")) as own:
        (count,) = own.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="kill -9 of a node between a write and its signal")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="5 kills")
    parser.add_argument("--planted-defect", action="store_true")
    asked = parser.parse_args()
    kind = _Hasty if asked.planted_defect else Subscription
    return asyncio.run(campaign(5 if asked.quick else asked.kills, kind))


if __name__ == "__main__":
    sys.exit(main())
