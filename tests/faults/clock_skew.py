"""Campaign S7: messages and tokens judged by a process whose clock is wrong (libfaketime).

    python tests/faults/clock_skew.py [--planted-defect] [--node]

A request and a token are made by the machine's clock and judged by a process of its own under another one. A request
lives for 60 seconds and a token for 300; clocks may differ by 30. So a request is good for a clock that is up to 30
seconds behind and up to 90 ahead, a token for one that is up to 30 behind and 330 ahead. With `--planted-defect` the
judge allows clocks that differ by an hour, which must be found. With `--node` a node of a running federation is started
two minutes ahead and behind: within 60 seconds its `/readyz` must say `CLOCK_DRIFT`, and be ready again with the right
clock.
Exit code 3 when `faketime` is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urljoin

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.contract.clock import SystemClock, epoch_seconds
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import SKEW, sign_request
from federation.trust.keys import SigningKey
from federation.trust.tokens import AccessClaims, Confirmation, issue_access_token
from tests.faults.field import Field, founded

NODE = "c_m999"
OFFSETS = (-3600, -600, -120, -60, -40, -35, -25, -5, 0, 5, 25, 80, 100, 120, 320, 345, 600, 3600)
_JUDGE = """
import json, sys
from federation.contract.clock import SystemClock
from federation.contract.errors import CroceviaError
from federation.trust.http_messages import HttpRequest
from federation.trust import http_signatures
from federation.trust.http_signatures import verify_request
from federation.trust.keys import VerifyKey
from federation.trust.tokens import verify_access_token
given = json.load(open(sys.argv[1]))
http_signatures.SKEW = given["skew"]
key = VerifyKey.from_jwk(given["jwk"])
def verdict(judge):
    try:
        judge()
    except CroceviaError as error:
        return error.code
    return "accepted"
request = HttpRequest("POST", "https://n.example/graphql", given["headers"], b"{}")
print(verdict(lambda: verify_request(request, {key.kid: key}.get, SystemClock())))
print(verdict(lambda: verify_access_token(given["token"], "f", "a", {key.kid: key}.get, SystemClock())))
"""


def judged(offset: int, folder: Path, faketime: str, skew: int) -> tuple[str, str]:
    """Return how a process judges a request and a token made now, when its clock is wrong by so many seconds."""
    key, clock = SigningKey.generate(), SystemClock()
    bare = HttpRequest("POST", "https://n.example/graphql", {"content-type": "application/json"}, b"{}")
    headers = {**bare.headers, **sign_request(bare, key, clock, "0123456789abcdef")}
    now = epoch_seconds(clock)
    claims = AccessClaims("f", "inprev", "inprev", ("a",), "p", "acc", "j", now, now + 300, Confirmation(key.kid))
    token = issue_access_token(claims, key)
    content = {"jwk": key.public_jwk(), "headers": headers, "token": token, "skew": skew}
    path = folder / "given.json"
    path.write_text(json.dumps(content))
    done = subprocess.run(
        [faketime, "-f", f"{offset:+d}s", sys.executable, "-c", _JUDGE, str(path)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    of_request, of_token = done.stdout.split()
    return of_request, of_token


def _within(offset: int, ahead: int) -> bool:
    """Tell whether a clock is so little off that what was made now is to be accepted."""
    return -30 <= offset <= ahead


async def running_node(offset: int, library: str) -> bool:
    """Tell whether a node whose clock is wrong says so, and is ready again when the clock is right."""
    wrong = {"LD_PRELOAD": library, "FAKETIME": f"{offset:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with founded() as demo:
        field, right = Field(demo), dict(demo.processes.environment)
        await field.learn(3)  # so that there is a head to cosign
        node = field.program(NODE)
        address = urljoin(node.health, "/readyz")
        said = []
        for environment, expected in ((right | wrong, "CLOCK_DRIFT"), (right, "pass")):
            field.kill(NODE)
            demo.processes.environment = environment
            demo.processes.start([node])
            said.append(await _until(address, expected))
        demo.processes.environment = right
    seconds = [f"{each:.0f} s" if each is not None else "not within 60 s" for each in said]
    print(f"a node {offset:+d} s off: not ready after {seconds[0]}, ready again after {seconds[1]}")
    return None not in said


async def _until(address: str, expected: str) -> float | None:
    """Return after how many seconds a readiness document says what is expected."""
    began = time.monotonic()
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        while time.monotonic() - began < 60:
            with suppress(httpx.HTTPError):
                content = (await http.get(address)).json()
                if expected in (content.get("code"), content.get("status")):
                    return time.monotonic() - began
            await asyncio.sleep(0.5)
    return None


def main() -> int:
    """Print the table, and return 1 when a verdict is not the expected one."""
    parser = argparse.ArgumentParser(description="wrong clocks")
    parser.add_argument("--planted-defect", action="store_true")
    parser.add_argument("--node", action="store_true", help="only the running node")
    asked = parser.parse_args()
    skew = 3600 if asked.planted_defect else SKEW
    faketime = shutil.which("faketime")
    if faketime is None:
        print("no `faketime` here (Debian: apt-get install faketime): clocks cannot be moved")
        return 3
    if asked.node:
        library = str(next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")))
        return 0 if all(asyncio.run(running_node(offset, library)) for offset in (120, -120)) else 1
    wrong = 0
    print(f"{'clock off by':>14}  {'request':18} {'token':18}")
    with tempfile.TemporaryDirectory() as folder:
        for offset in OFFSETS:
            request, token = judged(offset, Path(folder), faketime, skew)
            good = (_within(offset, 90) == (request == "accepted"), _within(offset, 330) == (token == "accepted"))
            wrong += good.count(False)
            print(f"{offset:+12} s  {request:18} {token:18} {'' if all(good) else 'WRONG'}")
    print(f"wrong verdicts: {wrong} of {2 * len(OFFSETS)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
