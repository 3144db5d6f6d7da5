"""The gateway's pages in a browser: readable wide and narrow, without errors and without calls to elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.demo import RunningDemo

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Request

CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1440, 390
NAME_AND_BAND = "query($by: CitizenKey!) { citizen(by: $by) { givenName isee } }"
FAINT = """() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = colour => rgb(colour).slice(0, 3).map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
  const behind = element => { for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (rgb(colour)[3] !== 0) return colour;
  } };
  return [...document.querySelectorAll("body *")]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || one.matches("input"))
    .filter(one => { const [a, b] = [getComputedStyle(one).color, behind(one)].map(light).sort((x, y) => y - x);
      return (a + .05) / (b + .05) < 4.5; })
    .map(one => one.outerHTML.slice(0, 80));
}"""
"""Finds texts whose contrast is less than 4.5 to 1 (WCAG 2.1, success criterion 1.4.3)."""
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Watched:
    """A page, what its scripts complained about, and what it asked of anybody else than the gateway."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def _watched(browser: Browser, demo: RunningDemo, width: int) -> Watched:
    watched = Watched(browser.new_page(viewport={"width": width, "height": 900}))

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            watched.complaints.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((demo.gateway + "/", "data:", "blob:")):
            watched.elsewhere.append(request.url)

    watched.page.on("console", heard)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    watched.page.on("request", asked)
    return watched


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_landing_page_lists_members_purposes_and_partners(browser: Browser, demo: RunningDemo, width: int) -> None:
    watched = _watched(browser, demo, width)
    page = watched.page
    page.goto(demo.gateway + "/")
    for member in demo.charter.members:
        expect(page.locator("table").first.locator("code").get_by_text(member.id, exact=True)).to_be_visible()
    expect(page.get_by_text("Comune di Borgoverde").first).to_be_visible()
    purposes = page.locator("table").nth(1)
    for agreement in demo.charter.agreements:
        for purpose in agreement.purposes:
            expect(purposes.locator("code").get_by_text(purpose, exact=True)).to_be_visible()
    expect(page.locator("#services h3").first).to_have_text("Cambio di residenza")
    expect(page.get_by_text("does not answer")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_graphiql_asks_as_the_chosen_partner(browser: Browser, demo: RunningDemo, width: int) -> None:
    watched = _watched(browser, demo, width)
    page = watched.page
    page.goto(demo.gateway + "/")
    page.get_by_role("link", name="Open GraphiQL as Istituto Nazionale della Previdenza").click()
    expect(page).to_have_title("GraphiQL as inprev for benefit-assessment · Crocevia")
    expect(page.locator(".asking")).to_contain_text("asking as inprev for benefit-assessment")
    expect(page.locator(".graphiql-query-editor")).to_contain_text("BenefitAssessment")
    if width == WIDE:
        page.locator(".graphiql-editor-tool .CodeMirror").first.evaluate(
            "(editor, text) => editor.CodeMirror.setValue(text)", '{"by": {"taxCode": "FRRSFO14E54F257M"}}'
        )
        page.get_by_role("button", name="Execute query").click()
        expect(page.locator(".result-window")).to_contain_text("Sofia")
        expect(page.locator(".result-window")).to_contain_text("v1.siv.inprev.")
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_a_citizen_sees_who_looked_in_words_and_checked(browser: Browser, demo: RunningDemo, width: int) -> None:
    address = demo.gateway + "/demo/graphql?as=inprev&purpose=benefit-assessment"
    asked = {"query": NAME_AND_BAND, "variables": {"by": {"taxCode": "FRRSFO14E54F257M"}}}
    assert httpx.post(address, json=asked, trust_env=False).status_code == 200
    watched = _watched(browser, demo, width)
    page = watched.page
    page.goto(demo.gateway + "/citizen")
    page.get_by_role("button", name="Mostra").click()
    look = page.locator("article", has_text="Istituto Nazionale della Previdenza").first
    expect(look).to_contain_text("Verifica dei requisiti di una prestazione")
    expect(look.locator(".state")).to_have_text("provato")
    look.locator("summary", has_text="Istituto Nazionale della Previdenza").click()
    expect(look).to_contain_text("l'indicatore ISEE del nucleo in euro, o la sua fascia (solo la fascia)")
    expect(page.locator("table.matrix circle").first).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("inprev")
    page.get_by_role("link", name="English").click()
    page.locator("#tax-code").fill("RSSMRA80A01H501U")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("The portal knows nobody of this tax code. NOT_FOUND")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, demo: RunningDemo, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(demo.gateway + "/")
    assert page.evaluate(FAINT) == []
    page.goto(demo.gateway + "/citizen")
    page.locator("#tax-code").fill("X")
    page.get_by_role("button", name="Mostra").click()
    expect(page.get_by_role("alert")).to_contain_text("Lo sportello non conosce nessuno")
    assert page.evaluate(FAINT) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark is (scheme == "dark")


def test_a_page_in_italian_speaks_italian_throughout(browser: Browser, demo: RunningDemo) -> None:
    page = browser.new_page()
    page.goto(demo.gateway + "/citizen")
    assert page.evaluate("document.documentElement.lang") == "it"
    assert page.locator("[lang=en]").all_inner_texts() == ["English"]
    expect(page.locator(".banner")).to_contain_text("Persone ed enti di fantasia")
    page.keyboard.press("Tab")
    expect(page.locator(".skip:focus")).to_have_text("Vai al contenuto")


def test_the_signing_proxy_serves_no_page_of_another_site(demo: RunningDemo) -> None:
    address = demo.gateway + "/demo/graphql?as=inprev&purpose=benefit-assessment"
    for headers in ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        answer = httpx.post(address, json={"query": "{ __typename }"}, headers=headers, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        citizen = httpx.post(demo.gateway + "/citizen", data={"taxCode": "x"}, headers=headers, trust_env=False)
        assert (citizen.status_code, citizen.json()["code"]) == (403, "FORBIDDEN")
