"""Takes the pictures of README from the running program: a composition, in light and dark.

    .venv/bin/python packaging/screenshots.py [DATA]

DATA is a folder with train.h5ad, test.h5ad and application.h5ad; without it the built-in example
is shown. Needs the tools for tests (`python3 dev.py test`) and Chromium. The pictures go to
.github/images.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / ".github" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
SIZE = {"width": 1280, "height": 860}
expect.set_options(timeout=300_000)
CONFIG = """
[folders]
data = "{0}/data"
plugins = "{0}/plugins"
logs = "{0}/logs"
"""


def load(page: Page, data: Path | None) -> None:
    """Load the files of a folder, or the built-in example."""
    if data is None:
        page.click("#upload-example")
    else:
        page.click("text=Test data, reference, trained model")
        for role, name in (("train", "train"), ("test", "test"), ("bulk", "application")):
            page.fill(f"#upload-{role}-path", str(data / f"{name}.h5ad"))
            page.press(f"#upload-{role}-path", "Enter")
            expect(page.locator(f"#upload-{role}-name")).to_have_text(f"{name}.h5ad")
        expect(page.locator("#upload-load")).to_be_enabled()
        page.click("#upload-load")
    expect(page.locator("#upload-answer")).to_contain_text("training cells")


def show_composition(page: Page) -> None:
    """Run DTD and open the tab with the composition of the bulk samples."""
    page.click("#dcx-nav a:has-text('DTD')")
    page.click("#dtd-run")
    expect(page.locator("#dtd-page")).to_contain_text("Mean correlation")
    page.get_by_role("tab", name="Composition").click()
    expect(page.locator("#dtd-composition-figure .main-svg").first).to_be_visible()


def take(page: Page, theme: str) -> None:
    """Switch the theme and save the picture."""
    page.get_by_label("Theme").click()
    page.click(f"#dcx-theme-{theme}")
    page.mouse.move(640, 5)
    for notice in page.locator(".mantine-Notification-closeButton").all():
        notice.click()
    expect(page.locator(f"html[data-mantine-color-scheme='{theme}']")).to_be_attached()
    page.wait_for_timeout(1500)  # the figure is drawn anew
    page.screenshot(path=IMAGES / f"composition-{theme}.png")


def main(arguments: list[str]) -> None:
    data = Path(arguments[0]).resolve() if arguments else None
    chromium = os.environ.get("DECONOMIX_GUI_CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS))
    )
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        config = Path(place) / "config.toml"
        config.write_text(CONFIG.format(Path(place).as_posix()), "utf-8")
        command = [
            sys.executable,
            "-u",
            "-m",
            "desktop",
            "serve",
            "--port",
            "0",
            "--config",
            str(config),
        ]
        program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert program.stdout is not None
            address = next(
                found[0] for line in program.stdout if (found := re.search(r"http://\S+", line))
            )
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                page = browser.new_page(viewport=SIZE)
                page.set_default_timeout(300_000)
                page.goto(address)
                page.get_by_role("button", name="Skip").click()  # the tour
                load(page, data)
                show_composition(page)
                for theme in ("light", "dark"):
                    take(page, theme)
                browser.close()
        finally:
            program.terminate()
            program.wait(30)


if __name__ == "__main__":
    main(sys.argv[1:])
