"""Every sentence said to officers is there in Italian, with the same gaps, and is said in the language asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from string import Formatter

from federation.contract.languages import Language
from node.policy.errors import nearest
from node.policy.italian import ITALIAN
from node.policy.messages import fillings_of, message, said
from tests.support.policies import ROOT

ROOMS = ("policy", "console", "server")


def calls() -> Iterator[ast.Call]:
    for room in ROOMS:
        for path in sorted((ROOT / "node" / room).rglob("*.py")):
            for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(found, ast.Call) and isinstance(found.func, ast.Name) and found.func.id == "message":
                    yield found


def sentence(call: ast.Call) -> str:
    [written] = call.args
    assert isinstance(written, ast.Constant), f"the sentence of line {call.lineno} is not written there"
    assert isinstance(written.value, str)
    return written.value


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_sentence_of_the_code_is_in_the_catalogue_and_no_other() -> None:
    assert {sentence(call) for call in calls()} == set(ITALIAN)


def test_every_gap_is_filled_and_no_other() -> None:
    wrong = [sentence(call) for call in calls() if {one.arg for one in call.keywords} != gaps(sentence(call))]
    assert wrong == []


def test_both_languages_have_the_same_gaps() -> None:
    assert [english for english, italian in ITALIAN.items() if gaps(italian) != gaps(english)] == []


def test_a_message_is_its_english_text_and_says_itself_in_italian() -> None:
    told = message(
        "purpose `{name}` is not in the vocabulary{nearest}",
        name="statistcs",
        nearest=nearest("statistcs", ["statistics"]),
    )
    assert told == "purpose `statistcs` is not in the vocabulary; did you mean `statistics`?"
    assert said(told, Language.ITALIAN) == "la finalità `statistcs` non è nel vocabolario; forse `statistics`?"
    assert fillings_of(told) == {"name": "statistcs", "nearest": "statistics"}


def test_a_name_in_other_letters_is_the_nearest() -> None:
    assert nearest("ANAG_SOGGETTI", ["anag_soggetti", "ANAG_X"]) == "; did you mean `anag_soggetti`?"


def test_a_text_that_is_no_message_stays_as_it_is() -> None:
    assert said("plain", Language.ITALIAN) == "plain"
    assert fillings_of("plain") == {}


def test_braces_of_a_filling_are_no_gaps() -> None:
    told = message("wrote {path}", path="{x}")
    assert (str(told), said(told, Language.ITALIAN)) == ("wrote {x}", "scritto {x}")
