"""What people come for, done in a real browser against the real server; and no page bars anybody."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

import kg
from benchmarks.explorer import PAGES as TOGETHER
from benchmarks.explorer import together
from kg.learning import Quiz

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 30_000
AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"

pytestmark = pytest.mark.skipif(not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="Chromium is not installed")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The server on a free port, ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "kg", "serve", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(address: str, process: "subprocess.Popen[bytes]", patience: float = 240) -> None:
    """Wait until the server answers; it builds the graph first where there is none."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        assert process.poll() is None, "the server stopped"
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise TimeoutError(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield found
        found.close()


def choose(page: Page, name: str, typed: str) -> None:
    """Type a few letters into a box of the sidebar and take the first match."""
    page.locator(AT_REST).wait_for()
    box = page.get_by_test_id("stSidebar").get_by_role("combobox", name=name)
    box.click()
    box.press_sequentially(typed)
    page.get_by_role("option").first.wait_for()
    box.press("Enter")
    if page.get_by_role("listbox").is_visible():  # a box for several stays open
        box.press("Escape")


def test_therapist_finds_what_is_safe_in_a_minute(server: str, browser: Browser) -> None:
    requests: list[str] = []
    page = opened(browser, server, requests=requests)
    choose(page, "Condition", "plantar fasc")
    expect(page.get_by_role("heading", name="Plantar fasciitis", level=1)).to_be_visible()
    page.get_by_test_id("stSidebar").get_by_text("Chronic", exact=True).click()
    expect(page).to_have_url(f"{server}/?condition=plantar-fasciitis&phase=chronic")
    choose(page, "Hazards of the client", "warfarin")
    expect(page).to_have_url(f"{server}/?condition=plantar-fasciitis&phase=chronic&hazard=anticoagulants")

    cards = page.locator("[class*=st-key-card-recommended-]")
    expect(cards).to_have_count(10)
    expect(cards.first.get_by_role("link")).to_contain_text("1. ")
    expect(cards.first.get_by_role("img", name="Score")).to_be_visible()
    expect(page.locator("[class*=st-key-card-recommended-deep-tissue-massage]")).to_have_count(0)
    withheld = page.locator("[class*=st-key-withheld-anticoagulants]").filter(has_text="Deep tissue massage").first
    expect(withheld).to_contain_text("Bruising and bleeding come more easily")
    expect(withheld).to_contain_text("No deep tissue work")

    cards.first.get_by_text("Dose, mechanism, evidence, arithmetic").click()
    expect(cards.first.get_by_role("tab", name="Arithmetic")).to_be_visible()

    page.go_back()
    expect(page).to_have_url(f"{server}/?condition=plantar-fasciitis&phase=chronic")
    expect(page.get_by_test_id("stSidebar").get_by_text("Anticoagulant")).to_have_count(0)
    page.go_forward()
    expect(page.get_by_test_id("stSidebar").get_by_text("Anticoagulant")).to_be_visible()

    withheld.get_by_role("link", name="Deep tissue massage").click()
    expect(page).to_have_url(f"{server}/technique?id=deep-tissue-massage")
    expect(page.get_by_role("heading", name="Deep tissue massage", level=1)).to_be_visible()
    page.get_by_role("link", name="Back to Plantar fasciitis, chronic, Anticoagulant medicine").click()
    expect(page).to_have_url(f"{server}/?condition=plantar-fasciitis&phase=chronic&hazard=anticoagulants")
    expect(cards).to_have_count(10)
    assert [address for address in requests if not address.startswith((server, "data:", "blob:"))] == []
    page.close()


PAGES = {
    "start": "/", "find": "/?condition=plantar-fasciitis&phase=chronic&hazard=warfarin", "condition": "/condition?id=low-back-pain",
    "technique": "/technique?id=deep-tissue-massage", "tissue": "/tissue?id=gastrocnemius", "hazard": "/hazard?id=anticoagulants",
    "effect": "/effect?id=pain-intensity", "impairment": "/impairment?id=hypertonicity", "source": "/source?id=cochrane-2012-neckmassage",
    "entity": "/entity?id=achilles-cluster", "everything": "/entity", "compare": "/compare?condition=plantar-fasciitis&hazard=warfarin",
    "map": "/evidence_map?region=knee", "body": "/body_map?region=shoulder", "flow": "/rationale?condition=plantar-fasciitis",
    "network": "/rationale?condition=plantar-fasciitis&form=network", "words": "/rationale?condition=plantar-fasciitis&form=words",
    "quiz": "/learn", "case": "/learn?mode=case", "cards": "/learn?mode=cards", "lab": "/lab?example=conditions-of-tissue",
    "before": "/before", "questions": "/before?step=questions&region=shoulder&age=58&sex=female&present=breathless-weary-jaw-back-pain",
    "history": "/before?step=history&region=elbow&phase=chronic&hazard=warfarin&hazard=recent-surgery%3D2026-10-01&on=2026-11-20",
    "result": "/before?step=result&region=elbow&present=worse-with-gripping&present=pain-at-outer-elbow&hazard=warfarin",
    "conditions": "/compare?of=conditions&condition=plantar-fasciitis&condition=tarsal-tunnel-syndrome&hazard=warfarin",
    "pick": "/compare?of=conditions", "about": "/about", "plan": "/plan?condition=plantar-fasciitis&phase=chronic&sessions=6",
}  # fmt: skip


def opened(browser: Browser, address: str, width: int = 1280, scheme: Literal["light", "dark"] = "light",
           requests: list[str] | None = None) -> Page:  # fmt: skip
    """A page, drawn to its end; the addresses that it asked for are put into `requests`."""
    page = browser.new_page(viewport={"width": width, "height": 900 if width > 640 else 844}, color_scheme=scheme)
    page.on("request", lambda request: requests.append(request.url) if requests is not None else None)
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(address)
    page.get_by_text("It does not diagnose").first.wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    page.locator(AT_REST).wait_for()
    return page


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_no_page_bars_anybody_scrolls_sideways_or_asks_another_host(
    path: str, width: int, scheme: Literal["light", "dark"], server: str, browser: Browser
) -> None:
    requests: list[str] = []
    page = opened(browser, server + path, width, scheme, requests)
    page.wait_for_timeout(300)
    assert [address for address in requests if not address.startswith((server, "data:", "blob:"))] == []
    found = Axe().run(page).response["violations"]
    grave = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []
    assert (
        page.evaluate("Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)") <= width
    )
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")])
def test_a_technique_that_is_opened_bars_nobody(width: int, scheme: Literal["light", "dark"], server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/?condition=plantar-fasciitis&phase=chronic&hazard=warfarin", width, scheme)
    card = page.locator("[class*=st-key-card-recommended-]").first
    card.locator("summary").first.click()
    for tab in ("Dose", "Mechanism", "Evidence", "Arithmetic"):
        card.get_by_role("tab", name=tab).click()
        expect(card.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        page.locator(AT_REST).wait_for()
        page.wait_for_timeout(300)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == [], tab
    page.close()


# ---------------------------------------------------------------------------------------------------- what people come for
@pytest.mark.parametrize("width", [1280, 390])
def test_student_finds_a_muscle_by_a_misspelt_name_and_goes_on_by_keyboard(width: int, server: str, browser: Browser) -> None:
    page = opened(browser, server, width)
    box = page.get_by_role("combobox", name="Search", exact=True)
    box.press_sequentially("gastrocnemis")
    expect(page.get_by_role("option").first).to_contain_text("Gastrocnemius")
    box.press("Enter")
    expect(page.get_by_role("heading", name="Gastrocnemius", level=1)).to_be_visible()
    expect(page).to_have_url(f"{server}/tissue?id=gastrocnemius")
    page.locator("a[data-entity=plantar-fasciitis]").first.click()
    expect(page).to_have_url(f"{server}/condition?id=plantar-fasciitis")
    expect(page.get_by_role("heading", name="Plantar fasciitis", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Gastrocnemius", level=1)).to_be_visible()
    page.close()


def test_student_learns_why_and_saves_what_the_graph_says(server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/?condition=plantar-fasciitis&phase=chronic")
    page.get_by_role("link", name="Why these").click()
    expect(page.get_by_role("heading", name="Why may it help?")).to_be_visible()
    expect(page.locator("[data-testid=stPlotlyChart] .sankey-node").first).to_be_visible()
    page.get_by_text("In words").first.click()
    expect(page.get_by_text("which relieves").first).to_be_visible()
    page.get_by_role("link", name="Nociceptive pain").first.click()
    expect(page.get_by_role("heading", name="Nociceptive pain", level=1)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Turtle").click()
    assert "pal:nociceptive-pain a pal:Impairment" in Path(saved.value.path()).read_text(encoding="utf-8")
    page.close()


def test_therapist_sees_a_withheld_technique_beside_a_safe_one(server: str, browser: Browser) -> None:
    page = opened(
        browser, f"{server}/compare?condition=plantar-fasciitis&hazard=warfarin&technique=deep-tissue-massage&technique=effleurage"
    )
    table = page.locator(".pal-columns")
    expect(table).to_contain_text("Withheld")
    expect(table).to_contain_text("Must not be used")
    expect(table.get_by_role("img", name="Score")).to_have_count(1)
    page.close()


def test_therapist_with_a_suspected_heart_attack_is_told_to_refer_on_every_page_that_ranks(server: str, browser: Browser) -> None:
    indications = kg.load().knowledge.of_class("RedFlagIndication")
    flag = next(
        n.one("redFlag") for n in indications if n.one("pathology") == "acute-coronary-syndrome" and n.one("urgency") == "urgency-emergency"
    )
    for path in ("/", "/compare", "/rationale"):
        page = opened(browser, f"{server}{path}?condition=mechanical-neck-pain&red_flag={flag}")
        expect(page.get_by_role("heading", name="do not treat")).to_be_visible()
        assert page.get_by_role("img", name="Score").count() == 0
        page.close()


def test_a_link_to_the_page_that_is_open_changes_the_address_and_back_leads_back(server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/")
    link = page.get_by_test_id("stMain").locator("a[href*='?condition=']").first
    name = link.inner_text()
    link.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?condition=[a-z-]+$"))
    client = page.url
    page.reload()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{server}/")
    expect(page.get_by_role("heading", name="Which techniques help", level=1)).to_be_visible()
    page.get_by_role("link", name="Back to your last client").click()
    expect(page).to_have_url(client)
    page.goto(f"{server}/condition?id=plantar-fasciitis")
    page.get_by_test_id("stMain").get_by_role("link", name="Tarsal tunnel syndrome").click()
    expect(page.get_by_role("heading", name="Tarsal tunnel syndrome", level=1)).to_be_visible()
    expect(page).to_have_url(f"{server}/condition?id=tarsal-tunnel-syndrome")
    page.go_back()
    expect(page.get_by_role("heading", name="Plantar fasciitis", level=1)).to_be_visible()
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_student_weighs_conditions_that_look_alike(width: int, server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/condition?id=plantar-fasciitis", width)
    page.get_by_role("link", name="Compare with what resembles it").click()
    expect(page).to_have_url(re.compile(r"/compare\?of=conditions&condition=plantar-fasciitis&condition="))
    expect(page.get_by_role("heading", name="What tells them apart")).to_be_visible()
    page.goto(f"{server}/compare?of=conditions&condition=plantar-fasciitis")
    page.get_by_role("link", name="Tarsal tunnel syndrome").click()
    expect(page).to_have_url(f"{server}/compare?of=conditions&condition=plantar-fasciitis&condition=tarsal-tunnel-syndrome")
    expect(page.get_by_text("burns and tingles in the sole")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV").click()
    assert "tissue,abductor-hallucis,Abductor hallucis,True" in Path(saved.value.path()).read_text(encoding="utf-8")
    page.go_back()
    expect(page.get_by_role("heading", name="What tells them apart")).to_have_count(0)
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_therapist_points_where_it_hurts(width: int, server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/body_map", width)
    page.get_by_role("button", name=re.compile("^Knee: ")).first.locator("path").first.click()
    expect(page).to_have_url(f"{server}/body_map?region=knee")
    expect(page.get_by_role("heading", name="Knee", exact=True)).to_be_visible()
    page.get_by_role("link", name="Patellofemoral pain").first.click()
    expect(page.get_by_role("heading", name="Patellofemoral pain", level=1)).to_be_visible()
    page.close()


def test_researcher_opens_a_cell_of_the_evidence_map(server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/evidence_map?region=foot")
    cell = page.get_by_role("button", name=re.compile("in Plantar fasciitis: for")).first
    cell.focus()
    cell.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("in Plantar fasciitis"))).to_be_visible()
    expect(page).to_have_url(re.compile("condition=plantar-fasciitis&technique="))
    page.close()


def test_researcher_fills_in_a_query_runs_it_and_saves_the_answer(server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/lab?example=conditions-of-tissue&with-tissue=soleus")
    expect(page.get_by_label("SPARQL query")).to_have_value(re.compile("pal:soleus"))
    expect(page.get_by_text(re.compile(r"\d+ rows? in"))).to_be_visible()
    with page.expect_download() as saved:
        page.locator(".st-key-save-csv button").click()
    assert "https://w3id.org/palpate/plantar-fasciitis" in Path(saved.value.path()).read_text(encoding="utf-8")
    area = page.get_by_label("SPARQL query")
    area.fill("PREFIX pal: <https://w3id.org/palpate/>\nSELECT (COUNT(*) AS ?n) WHERE { ?x a pal:Condi")
    area.press("End")
    area.press_sequentially("t")
    expect(page.get_by_role("button", name="pal:Condition", exact=True)).to_be_visible()
    area.press("Tab")
    area.press_sequentially(" }")
    area.press("Control+Enter")
    expect(page.get_by_text("1 row in")).to_be_visible()
    area.fill("PREFIX pal: <https://w3id.org/palpate/>\nSELECT ?condition WHERE { ?condition pal:affects pal:plantar-apo")
    area.press("End")
    area.press_sequentially("n")
    expect(page.get_by_role("button", name="pal:plantar-aponeurosis", exact=False)).to_be_visible()
    area.press("Tab")
    expect(area).to_have_value(re.compile("pal:affects pal:plantar-aponeurosis$"))
    area.press_sequentially(" ; pal:affects ?x . FILTER(?condition != pal:frozen")  # a name, and no slug
    offers = page.locator(".pal-editor .offers button")
    expect(offers.filter(has_text="Adhesive capsulitis")).to_be_visible()
    for _ in range(10):
        if offers.and_(page.locator("[aria-current]")).get_attribute("data-term") == "pal:adhesive-capsulitis":
            break
        area.press("Alt+ArrowDown")
    area.press("Tab")
    expect(area).to_have_value(re.compile("!= pal:adhesive-capsulitis$"))
    area.press_sequentially(") }")
    area.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"\d+ rows in"))).to_be_visible()
    expect(page).to_have_url(re.compile("query=PREFIX.*plantar-aponeurosis"))
    area.fill("SELECT ?x WHERE {\n  ?x a\n}")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("The query is malformed")).to_be_visible()
    expect(page.get_by_text("3 | }")).to_be_visible()
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_student_is_sure_and_wrong_and_reads_it_in_the_report(width: int, server: str, browser: Browser) -> None:
    page = opened(browser, f"{server}/learn?kind=nerve", width)
    question = Quiz(kg.load()).draw(["nerve"], 10, 1)[0]
    expect(page.get_by_role("heading", name=question.prompt)).to_be_visible()
    wrong = next(choice.label for choice in question.choices if not choice.right)
    expect(page.get_by_role("button", name="Check")).to_be_disabled()
    page.get_by_text(wrong, exact=True).click()
    page.get_by_text("I am sure").click()
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Wrong, and you were sure")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Sure, and wrong")).to_be_visible()
    expect(page.get_by_text(f"You said {wrong}")).to_be_visible()
    page.close()


def test_pages_are_drawn_soon(server: str, browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not judged: a busy machine is no fault of the page."""
    address = f"{server}/?condition=plantar-fasciitis"
    opened(browser, address).close()  # the server is warm from here on, the browser is new each time
    views = []
    for _ in range(3):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        start = time.perf_counter()
        page.goto(address)
        page.locator("[class*=st-key-card-recommended-]").first.wait_for()
        views.append(time.perf_counter() - start)
        page.close()
    page = opened(browser, address)
    times = []
    for phase in ("Acute", "Chronic", "Subacute"):
        start = time.perf_counter()
        page.get_by_test_id("stSidebar").get_by_text(phase, exact=True).click()
        expect(page.get_by_test_id("stMain").locator(".stMarkdownBadge").get_by_text(phase, exact=True)).to_be_visible()
        times.append(time.perf_counter() - start)
    page.close()
    with capsys.disabled():
        print(f"\nfirst view of Find: {_span(views)}; a change of the phase is drawn within {_span(times)}")


def test_thirty_sessions_at_once_all_get_their_pages(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    seconds, wrong = together(int(server.rpartition(":")[2]), 30)
    assert wrong == []
    assert len(seconds) == 30 * len(TOGETHER)
    with capsys.disabled():
        print(f"\n30 sessions at once: a page within {_span(seconds)}")


def _span(seconds: list[float]) -> str:
    return f"{min(seconds) * 1000:.0f} to {max(seconds) * 1000:.0f} ms"
