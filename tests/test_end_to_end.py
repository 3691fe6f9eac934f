"""One therapist's visit in a real browser, against the real server."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 30_000

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
    box = page.get_by_test_id("stSidebar").get_by_role("combobox", name=name)
    box.click()
    box.press_sequentially(typed)
    page.get_by_role("option").first.wait_for()
    box.press("Enter")
    if page.get_by_role("listbox").is_visible():  # a box for several stays open
        box.press("Escape")


def test_therapist_finds_what_is_safe_in_a_minute(server: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not request.url.startswith((server, "data:", "blob:")) else None)
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(server)

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
    assert outside == []
    page.close()


@pytest.mark.parametrize(
    "path",
    ["/", "/?condition=plantar-fasciitis&phase=chronic&hazard=warfarin", "/condition?id=low-back-pain", "/technique?id=deep-tissue-massage",
     "/tissue?id=gastrocnemius", "/hazard?id=anticoagulants"],
)  # fmt: skip
def test_a_phone_needs_no_sideways_scroll(path: str, server: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.set_default_timeout(PATIENCE)
    page.goto(server + path)
    page.get_by_text("It does not diagnose").wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)")
    assert width <= 390
    page.close()
