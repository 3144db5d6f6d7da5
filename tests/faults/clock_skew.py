"""Campaign S7: messages and tokens judged by a process whose clock is wrong (libfaketime).

    python tests/faults/clock_skew.py [--planted-defect]

A request and a token are made by the machine's clock and judged by a process of its own under another one. A request
lives for 60 seconds and a token for 300; clocks may differ by 30. So a request is good for a clock that is up to 30
seconds behind and up to 90 ahead, a token for one that is up to 30 behind and 330 ahead. With `--planted-defect` the
judge allows clocks that differ by an hour, which must be found. Exit code 3 when `faketime` is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from federation.contract.clock import SystemClock, epoch_seconds
from federation.trust.http_messages import HttpRequest
from federation.trust.http_signatures import SKEW, sign_request
from federation.trust.keys import SigningKey
from federation.trust.tokens import AccessClaims, Confirmation, issue_access_token

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


def main() -> int:
    """Print the table, and return 1 when a verdict is not the expected one."""
    parser = argparse.ArgumentParser(description="wrong clocks")
    parser.add_argument("--planted-defect", action="store_true")
    skew = 3600 if parser.parse_args().planted_defect else SKEW
    faketime = shutil.which("faketime")
    if faketime is None:
        print("no `faketime` here (Debian: apt-get install faketime): clocks cannot be moved")
        return 3
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
