"""A report on paper: printed by a Chromium of the machine, with tags and an outline."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from territory_lab.errors import TerritoryLabError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_PATIENCE_S = 120


def pdf(page: Path) -> Path:
    """
    Print a page to PDF beside it.

    Parameters
    ----------
    page : Path
        An HTML file.

    Returns
    -------
    Path
        The PDF: tagged, outlined by its headings.

    Raises
    ------
    TerritoryLabError
        If the machine has no Chromium, or it prints nothing.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise TerritoryLabError(f"no PDF: it takes Chromium or Chrome on the path; or print {page} from any browser")
    target = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory(dir=page.parent, prefix=".printing-") as folder:
        draft = Path(folder) / "page.pdf"
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer",
            "--export-tagged-pdf",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={draft}",
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            page.resolve().as_uri(),
        ]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603
        if not draft.is_file():
            raise TerritoryLabError(f"{browser} printed nothing: {ran.stderr.strip().splitlines()[-1:]}")
        return draft.replace(target)
