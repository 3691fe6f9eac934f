"""Make the screenshots of every page of the explorer, light and dark, for a desk and for a phone.

python -m kg serve &
python docs/screenshots.py http://127.0.0.1:8501 [NAME]...
"""

import io
import shutil
import sys
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
CLIENT = "condition=plantar-fasciitis&phase=chronic&hazard=warfarin"
SHOTS = {
    "start": "/",
    "before": "/before?step=questions&region=shoulder&age=58&sex=female",
    "before-referral": "/before?step=questions&region=shoulder&age=58&sex=female&present=breathless-weary-jaw-back-pain",
    "before-history": "/before?step=history&region=elbow&phase=chronic&hazard=warfarin&hazard=recent-surgery%3D2026-10-01&on=2026-11-20",
    "before-result": "/before?step=result&region=elbow&present=worse-with-gripping&present=pain-at-outer-elbow&hazard=warfarin",
    "find": f"/?{CLIENT}",
    "mechanism": f"/?{CLIENT}",
    "withheld": f"/?{CLIENT}",
    "referral": "/?condition=low-back-pain&phase=acute&red_flag=ces-overflow-incontinence",
    "search": "/about",
    "plan": f"/plan?{CLIENT}&sessions=6",
    "compare": f"/compare?{CLIENT}&technique=myofascial-release&technique=effleurage&technique=deep-tissue-massage",
    "compare-conditions": "/compare?of=conditions&condition=plantar-fasciitis&condition=tarsal-tunnel-syndrome"
                          "&condition=achilles-tendinopathy",
    "evidence-map": "/evidence_map",
    "body-map": "/body_map?region=shoulder",
    "condition": "/condition?id=plantar-fasciitis",
    "technique": "/technique?id=deep-tissue-massage",
    "tissue": "/tissue?id=gastrocnemius",
    "impairment": "/impairment?id=hypertonicity",
    "effect": "/effect?id=pain-intensity",
    "hazard": "/hazard?id=anticoagulants",
    "source": "/source?id=cochrane-2012-neckmassage",
    "entity": "/entity?id=hawkins-kennedy",
    "flow": "/rationale?condition=plantar-fasciitis&phase=chronic",
    "network": "/rationale?condition=plantar-fasciitis&phase=chronic&form=network",
    "quiz": "/learn?kind=myth",
    "case": "/learn?mode=case&condition=plantar-fasciitis&hazard=warfarin",
    "cards": "/learn?mode=cards",
    "lab": "/lab?example=conditions-of-tissue",
    "about": "/about",
}
WIDTHS = {1280: 1000, 390: 844}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LARGEST = 150_000
COLORS = 128
"""A page has few colors: a palette makes its picture a third of the size."""


def main(base: str, names: list[str]) -> None:
    """Take the screenshots, all of them where none is named, from a server that runs at `base`."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        for name in names or SHOTS:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    shoot(browser, name, base + SHOTS[name], width, scheme)
        browser.close()


def shoot(browser: Browser, name: str, address: str, width: int, scheme: Literal["light", "dark"]) -> None:
    """Take one screenshot."""
    page = browser.new_page(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_text("It does not diagnose").first.wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    if name in STEPS:
        STEPS[name](page)
    page.wait_for_timeout(1500 if name in ("network", "flow", "evidence-map") else 800)
    target = IMAGES / f"{name}-{width}-{scheme}.png"
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    page.close()
    picture.save(target, optimize=True)
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target} is larger than {LARGEST} bytes")
    print(target)


def mechanism(page: Page) -> None:
    """Open the paths of the first technique as a drawing."""
    page.get_by_text("Dose, mechanism, evidence, arithmetic").first.click()
    page.get_by_role("tab", name="Mechanism").click()
    page.get_by_text("Draw these paths as a graph").click()
    page.locator("[data-testid=stGraphVizChart] svg").wait_for()
    page.locator("[class*=st-key-card-recommended-]").first.evaluate("card => card.scrollIntoView()")


def search(page: Page) -> None:
    """Look for a misspelt name."""
    page.locator("#pal-search-input").press_sequentially("frozen sholder")
    page.locator(".pal-search li").first.wait_for()


def quiz(page: Page) -> None:
    """Answer the first question, surely."""
    page.get_by_test_id("stRadio").locator("label").nth(1).click()
    page.get_by_text("I am sure").click()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Next").wait_for()


STEPS = {
    "mechanism": mechanism,
    "search": search,
    "quiz": quiz,
    "withheld": lambda page: page.locator("#withheld").evaluate("heading => heading.scrollIntoView()"),
    "case": lambda page: page.get_by_test_id("stRadio").locator("label").nth(1).click(),
}


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8501", sys.argv[2:])
