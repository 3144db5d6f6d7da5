"""jwt_tool against the gateway's token endpoint: forged client assertions, each with a fresh proof of possession.

    python tests/outside/forged_assertions.py --tool JWT_TOOL/jwt_tool.py --python VENV/bin/python

jwt_tool knows nothing of DPoP, so it asks through a proxy that proves possession of the partner's key for it: whatever
is refused is refused for the assertion. The true one is granted once in each mode, which shows that the way works. The
last line counts what was granted beyond that; exit code 1 when anything was.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from federation.consumer.commands import Partner
from federation.contract.clock import SystemClock
from federation.trust.tokens import ASSERTION_TYPE, ClientAssertion, dpop_proof, issue_client_assertion, make_dpop
from tests.faults.field import founded
from tests.support.demo import nonce
from tests.support.loopback import Quiet, serving

PURPOSE = "benefit-assessment"
MODES = ("pb", "er", "at")
"""The tool's playbook of known attacks, errors forced by wrong types in each claim, and all of its tests."""


@contextmanager
def proving_proxy(endpoint: str, partner: Partner, answers: Counter[str]) -> Iterator[str]:
    """Pass token requests on with a fresh proof of possession, and count the answers by code."""
    with httpx.Client(trust_env=False, timeout=10) as http:

        class Handler(Quiet):
            fresh = ""

            @override
            def asked(self) -> None:
                form = self.body()
                answer = self.ask(form)
                if "use_dpop_nonce" in answer.text:
                    answer = self.ask(form)
                answers[str(answer.json().get("code", answer.status_code))] += 1
                self.answer(answer.status_code, answer.content)

            def ask(self, form: bytes) -> httpx.Response:
                proof = dpop_proof("POST", endpoint, nonce(), SystemClock(), nonce=Handler.fresh)
                headers = {"content-type": "application/x-www-form-urlencoded", "dpop": make_dpop(proof, partner.key)}
                answer = http.post(endpoint, content=form, headers=headers)
                Handler.fresh = answer.headers.get("dpop-nonce", "")
                return answer

        with serving(Handler) as origin:
            yield f"{origin}/oauth2/token"


def attack(program: list[str], folder: Path, url: str, assertion: str, mode: str) -> None:
    """Run one mode of the tool, in its own folder, where its word lists are.

    Raises:
        RuntimeError: it came to no end (its exit code says nothing).
    """
    form = f"grant_type=client_credentials&client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}"
    done = subprocess.run(
        [*program, assertion, "-np", "-t", url, "-pd", form, "-cv", "access_token", *(["-M", mode] if mode else [])],
        cwd=folder,
        env={**os.environ, "HOME": tempfile.gettempdir()},
        input="\n" * 5,
        capture_output=True,
        text=True,
        check=False,
    )
    if mode and "Scanning mode completed" not in done.stdout:
        raise RuntimeError(f"mode `{mode}` came to no end: {done.stderr[-500:]}")


def main() -> int:
    """Attack, and count."""
    parser = argparse.ArgumentParser(description="jwt_tool against the token endpoint")
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    asked = parser.parse_args()
    program, answers = [asked.python, str(asked.tool)], Counter[str]()
    with founded(20) as demo:
        endpoint, partner = demo.gateway + "/oauth2/token", demo.partner("inprev")
        terms = (PURPOSE, partner.agreement_for(PURPOSE).id)
        with proving_proxy(endpoint, partner, answers) as url:
            attack(program, asked.tool.parent, url, "e30.e30.", "")  # its first run only writes its settings
            for mode in MODES:
                claims = ClientAssertion.fresh(partner.member, endpoint, terms, nonce(), SystemClock())
                attack(program, asked.tool.parent, url, issue_client_assertion(claims, partner.key), mode)
    granted = answers.pop("200", 0)
    print(f"    refused: {', '.join(f'{code} {count}' for code, count in sorted(answers.items()))}")
    print(f"{len(MODES)} modes, {sum(answers.values())} forged or repeated assertions: {granted - len(MODES)} granted")
    return 0 if granted == len(MODES) else 1


if __name__ == "__main__":
    sys.exit(main())
