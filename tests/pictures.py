"""Pictures of the panels and the map for the README: `python -m tests.pictures FOLDER` (it takes Chromium)."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from territory_lab import shipped, workspace
from tests.browser.jupyter import run_all, running, visit

PANELS = {
    "1_icp": {"rule-card": 0},
    "3_propensity": {"cut-off": 2, "training": 3},
    "4_territories": {"another-plan": 1, "shelf": 2},
    "5_resources": {"sizes": 0, "quotas": 1},
    "6_evaluation": {"moves": 0, "triggers": 1},
}
WIDE, NARROW = 1_400, 640
PATIENCE_MS = 600_000


def main(folder: str) -> None:
    """Run the notebooks on the sample company and take each panel, wide, and the map narrow too."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as play:
        workspace.create(Path(place) / "root" / "space", shipped.data("sample"))
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with running(Path(place) / "root", Path(place) / "home") as address:
            for notebook, panels in PANELS.items():
                page = browser.new_page(viewport={"width": WIDE, "height": 1_000})
                visit(page, address, f"space/notebooks/{notebook}.ipynb")
                run_all(page)
                page.wait_for_timeout(1_000)
                page.wait_for_function("!document.body.innerText.includes('[*]')", timeout=PATIENCE_MS)
                for name, number in panels.items():
                    take(page, ".panel", number, target / f"{name}.png")
                if notebook == "4_territories":
                    take(page, ".tl-map", 0, target / "map.png")
                    page.set_viewport_size({"width": NARROW, "height": 1_800})
                    take(page, ".tl-map", 0, target / "map-narrow.png")
                page.close()


def take(page: Page, what: str, number: int, file: Path) -> None:
    """Take one part of the page."""
    part = page.locator(what).nth(number)
    part.scroll_into_view_if_needed()
    page.wait_for_timeout(700)
    part.screenshot(path=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
