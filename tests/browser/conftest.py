"""A real browser for the tests in this folder."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.jupyter import running
from tests.conftest import needs


@pytest.fixture(scope="module")
def browser():
    """Start the machine's own Chromium."""
    chromium = shutil.which("chromium")
    needs(chromium, "chromium")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start a JupyterLab of its own; give its address and its folder."""
    folder = tmp_path_factory.mktemp("lab")
    with running(folder, tmp_path_factory.mktemp("jupyter")) as address:
        yield address, folder
