"""What a draft of an agreement says about the length of lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from federation.contract.errors import BadInputError
from federation.membership.agreement_commands import app
from federation.membership.agreement_files import read_agreement


def drafted(file: Path, *more: str) -> Result:
    terms = ("--id", "acc-1", "--consumer", "inprev", "--purpose", "benefit-assessment=6.1.e", "--until", "2027-12-31")
    return CliRunner().invoke(app, ["draft", str(file), *terms, "--provider", "c_m999=Citizen.*", *more])


def test_a_provider_may_agree_on_longer_lists(tmp_path: Path) -> None:
    assert drafted(tmp_path / "long.json", "--longest-list", "c_m999=500").exit_code == 0
    assert drafted(tmp_path / "usual.json").exit_code == 0
    found = [read_agreement(tmp_path / name).providers[0].longest_list for name in ("long.json", "usual.json")]
    assert found == [500, 100]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("c_m999=1001", "`--longest-list` is from 1 to 1000"),
        ("c_m999=0", "`--longest-list` is from 1 to 1000"),
        ("aslvs=500", "names `aslvs`, which `--provider` does not"),
    ],
)
def test_a_length_beyond_the_ceiling_or_of_nobody_is_refused(tmp_path: Path, written: str, message: str) -> None:
    result = drafted(tmp_path / "draft.json", "--longest-list", written)
    assert isinstance(result.exception, BadInputError)
    assert message in str(result.exception)
