"""Campaign S2: who comes in over mutual TLS, and what a renewal of certificates costs.

    python tests/faults/channel_peers.py [--attempts 600] [--planted-defect]

600 attempts of six kinds that must all be refused, a revocation in use, and certificates that are renewed while 1 000
requests run on new connections, on the event loop that servers run on. With `--planted-defect` the server admits
whoever has a certificate of the authority, which must be found.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import uvloop

from federation.serving.connection import Admits
from federation.trust.channel import AUTHORITY_CERTIFICATE, Channel, party_of
from tests.support.channels import FEDERATION, Issuer, ask, listed, serving

REQUESTS = 1_000
PARTIES = ("gateway", "exchange", "late")


def refused(issuer: Issuer, rogue: Issuer) -> dict[str, ssl.SSLContext]:
    """Return the clients that must not come in."""
    authority = issuer.folder / AUTHORITY_CERTIFICATE

    def bare() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=authority)

    forged, old, gateway = rogue.party("gateway"), bare(), issuer.party("gateway")
    stranger = bare()
    stranger.load_cert_chain(forged.certificate, forged.key)
    old.load_cert_chain(gateway.certificate, gateway.key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    return {
        "no certificate": bare(),
        "another authority": stranger,
        "TLS 1.2": old,
        "party not on the list": Channel.open(issuer.party("ustat")).asking,
        "name of another federation": Channel.open(issuer.party("exchange", federation="https://other.example")).asking,
        "expired certificate": Channel.open(issuer.party("late", age=timedelta(days=3))).asking,
    }


async def campaign(folder: Path, attempts: int, admits: Admits) -> bool:
    """Run it, and tell whether nothing came in that must not, and nothing was lost that must not be."""
    issuer, rogue = Issuer.found(folder / "authority"), Issuer.found(folder / "rogue")
    node = Channel.open(issuer.party("c_m999"))
    clients = refused(issuer, rogue)
    accepted = 0
    async with serving(node, admits) as port:
        for name, context in clients.items():
            came_in = sum([bool(await ask(port, context)) for _ in range(attempts // len(clients))])
            accepted += came_in
            print(f"{name:28} {attempts // len(clients):5} attempts {came_in:5} accepted")
        lost = await renewed(issuer, node, port)
    seconds = await revoked(issuer, node)
    print(f"{'revoked on an open channel':28} {'':14} {seconds * 1000:8.1f} ms until the next request is refused")
    print(f"accepted {accepted} of {attempts}; lost {lost} of {REQUESTS} during renewals")
    return not accepted and not lost


async def renewed(issuer: Issuer, node: Channel, port: int) -> int:
    """Renew both certificates again and again under load, and return how many requests failed."""
    gateway = Channel.open(issuer.party("gateway"))
    done = 0

    async def client() -> int:
        nonlocal done
        failed = 0
        for _ in range(REQUESTS // 10):
            failed += await ask(port, gateway.asking) != "gateway"
            done += 1
        return failed

    load = [asyncio.create_task(client()) for _ in range(10)]
    renewals = 0
    while done < REQUESTS:
        issuer.party("c_m999")
        issuer.party("gateway")
        renewals += node.renew() and gateway.renew()
        await asyncio.sleep(0.05)
    failed = sum([await task for task in load])
    print(f"{'renewed under load':28} {renewals:5} renewals {failed:5} of {REQUESTS} requests failed")
    return failed


async def revoked(issuer: Issuer, node: Channel) -> float:
    """Take a party from the list while it has a channel open, and return the seconds until it is refused."""
    on_the_list = {"gateway"}
    gone = 0.0

    def admits(certificate: object) -> str | None:
        party = party_of(certificate, FEDERATION)
        return party if party in on_the_list else None

    def leave(number: int) -> None:
        nonlocal gone
        if number == 5:  # in the middle
            on_the_list.clear()
            gone = time.perf_counter()

    async with serving(node, admits) as port:
        said = await ask(port, Channel.open(issuer.party("gateway")).asking, times=10, pause=leave)
    assert not said
    return time.perf_counter() - gone


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description="who comes in over mutual TLS")
    parser.add_argument("--attempts", type=int, default=600)
    parser.add_argument("--planted-defect", action="store_true", help="whoever has a certificate is admitted")
    asked = parser.parse_args()
    admits = (lambda _: "gateway") if asked.planted_defect else listed(*PARTIES)
    with tempfile.TemporaryDirectory() as made, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 0 if runner.run(campaign(Path(made), asked.attempts, admits)) else 1


if __name__ == "__main__":
    sys.exit(main())
