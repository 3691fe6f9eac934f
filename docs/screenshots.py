"""Make the screenshots of every page of the explorer, for a desk and for a phone.

python -m kg serve &
python docs/screenshots.py http://127.0.0.1:8501
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent / "images"
CLIENT = "/?condition=plantar-fasciitis&phase=chronic&hazard=warfarin"
SHOTS = {
    "start": "/",
    "before": "/before?step=questions&region=shoulder&age=58&sex=female",
    "before-referral": "/before?step=questions&region=shoulder&age=58&sex=female&present=breathless-weary-jaw-back-pain",
    "before-history": "/before?step=history&region=elbow&phase=chronic&hazard=warfarin&hazard=recent-surgery%3D2026-10-01&on=2026-11-20",
    "before-result": "/before?step=result&region=elbow&present=worse-with-gripping&present=pain-at-outer-elbow&hazard=warfarin",
    "find": CLIENT,
    "mechanism": CLIENT,
    "withheld": CLIENT,
    "referral": "/?condition=low-back-pain&phase=acute&red_flag=ces-overflow-incontinence",
    "condition": "/condition?id=plantar-fasciitis",
    "technique": "/technique?id=deep-tissue-massage",
    "tissue": "/tissue?id=gastrocnemius",
    "hazard": "/hazard?id=anticoagulants",
}
WIDTHS = {1280: 1000, 390: 844}
LARGEST = 300_000


def main(base: str) -> None:
    """Take all screenshots from a server that runs at `base`."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        for name, path in SHOTS.items():
            for width, height in WIDTHS.items():
                shoot(browser, name, base + path, width, height)
        browser.close()


def shoot(browser: Browser, name: str, address: str, width: int, height: int) -> None:
    """Take one screenshot."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_text("It does not diagnose").wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length === 0")
    if name == "mechanism":
        page.get_by_text("Dose, mechanism, evidence, arithmetic").first.click()
        page.get_by_role("tab", name="Mechanism").click()
        page.get_by_text("Draw these paths as a graph").click()
        page.locator("[data-testid=stGraphVizChart] svg").wait_for()
        page.locator("[class*=st-key-card-recommended-]").first.evaluate("card => card.scrollIntoView()")
    if name == "withheld":
        page.locator("#withheld").evaluate("heading => heading.scrollIntoView()")
    page.wait_for_timeout(800)
    target = IMAGES / f"{name}-{width}.png"
    page.screenshot(path=target)
    page.close()
    if target.stat().st_size > LARGEST:
        raise SystemExit(f"{target} is larger than {LARGEST} bytes")
    print(target)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://127.0.0.1:8501")
