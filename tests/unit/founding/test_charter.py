"""A charter is read once, and what it promises is what the member list carries."""

from pathlib import Path

import pytest

from federation.contract.errors import ConfigurationError
from federation.demo.charter import Charter, read_charter

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "federation.yaml"


@pytest.fixture
def charter() -> Charter:
    return read_charter(DEMO.read_text(encoding="utf-8"))


def test_the_demo_has_five_nodes_and_a_threshold_of_operators(charter: Charter) -> None:
    assert [member.id for member in charter.nodes()] == ["c_m999", "aslvs", "inprev", "istsc_bv01", "coop_ponte"]
    assert 1 < charter.threshold <= len(charter.operators)


def test_an_agreement_names_who_may_be_asked_for_a_citizen_by_tax_code(charter: Charter) -> None:
    agreement = next(each for each in charter.agreements if each.consumer == "inprev").agreement()
    asked = [each.member for each in agreement.providers if each.covers("Query", "citizen")]
    assert asked == ["c_m999"]
    assert agreement.providers[0].member == "c_m999"


def test_the_cooperative_may_not_look_anybody_up_by_tax_code(charter: Charter) -> None:
    agreement = next(each for each in charter.agreements if each.consumer == "coop_ponte").agreement()
    assert not any(each.covers("Query", "citizen") for each in agreement.providers)
    assert any(each.covers("Query", "supportProgrammes") for each in agreement.providers)


def test_the_citizens_right_of_access_binds_every_node(charter: Charter) -> None:
    report = next(each for each in charter.agreements if each.consumer == "portal").agreement()
    assert {each.member for each in report.providers} == {member.id for member in charter.nodes()}
    assert all(each.covers("Query", "accessReport") for each in report.providers)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("consumer: inprev", "consumer: inprevv", "`inprevv`, which is not a member"),
        ("threshold: 2", "threshold: two", "threshold"),
        ("threshold: 2", "threshhold: 2", "threshhold"),
        ("federation: https", "federation: [https", "cannot be read"),
    ],
)
def test_a_wrong_charter_is_refused_by_the_wrong_word(before: str, after: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read|not a member") as refused:
        read_charter(DEMO.read_text(encoding="utf-8").replace(before, after, 1))
    assert said in refused.value.message
