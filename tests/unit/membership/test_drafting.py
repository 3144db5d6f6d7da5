"""What a draft of an agreement says about the length of lists, and about whom it lets be asked."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from federation.contract.errors import BadInputError
from federation.membership.agreement_commands import app
from federation.membership.agreement_files import read_agreement
from federation.trust.agreements import terms_digest


def drafted(file: Path, *more: str) -> Result:
    terms = ("--id", "acc-1", "--consumer", "inprev", "--purpose", "benefit-assessment=6.1.e", "--until", "2027-12-31")
    return CliRunner().invoke(app, ["draft", str(file), *terms, "--provider", "c_m999=Citizen.*", *more])


def test_a_provider_may_agree_on_longer_lists(tmp_path: Path) -> None:
    assert drafted(tmp_path / "long.json", "--longest-list", "c_m999=500").exit_code == 0
    assert drafted(tmp_path / "usual.json").exit_code == 0
    found = [read_agreement(tmp_path / name).providers[0].longest_list for name in ("long.json", "usual.json")]
    assert found == [500, 100]


def test_an_agreement_names_the_capacities_in_which_a_citizen_is_known(tmp_path: Path) -> None:
    terms = ("--capacity", "c_m999=resident,former-resident", "--holding", "insured", "--holding", "pensioner")
    assert drafted(tmp_path / "known.json", *terms).exit_code == 0
    found = read_agreement(tmp_path / "known.json")
    assert found.providers[0].capacities == ("resident", "former-resident")
    assert found.holding == ("insured", "pensioner")
    assert drafted(tmp_path / "usual.json").exit_code == 0
    usual = read_agreement(tmp_path / "usual.json")
    assert len({terms_digest(each) for each in (found, usual, msgspec.structs.replace(found, holding=()))}) == 3
    for wrong in (("--capacity", "aslvs=patient"), ("--capacity", "c_m999=A patient"), ("--holding", "a client")):
        assert isinstance(drafted(tmp_path / "no.json", *wrong).exception, BadInputError)


def test_an_agreement_that_is_over_before_it_begins_is_refused(tmp_path: Path) -> None:
    over = drafted(tmp_path / "over.json", "--from", "2028-01-01")
    assert isinstance(over.exception, BadInputError)
    assert "expected a last day from 2028-01-01 on, got 2027-12-31" in str(over.exception)
    assert not (tmp_path / "over.json").exists()


def test_terms_without_them_stay_what_was_signed(tmp_path: Path) -> None:
    assert drafted(tmp_path / "usual.json", "--from", "2026-01-01").exit_code == 0
    # Of the terms as they were before agreements could say so.
    signed = "sha256:f257d962e88c3e0b63116e04dfc90f223e0d57146895ad32dec2b3cfc4dda800"
    assert terms_digest(read_agreement(tmp_path / "usual.json")) == signed


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
