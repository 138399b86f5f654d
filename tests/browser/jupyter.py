"""A JupyterLab of its own for tests and benchmarks: loopback only, its settings in a folder that goes."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
from PIL import Image
from playwright.sync_api import Page

PLACES = ["JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
QUIET = '{"fetchNews": "false", "checkForUpdates": false}'
PATIENCE_S = 120


@contextmanager
def running(folder: Path, home: Path) -> Iterator[str]:
    """Serve a folder and give the address; ``home`` takes settings and log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {name: str(home / name.lower()) for name in [*PLACES, "IPYTHONDIR"]}
    settings = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(QUIET)
    options = ["--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}", "--ServerApp.allow_root=True", "--ServerApp.log_level=ERROR"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - our own program
        try:
            wait(lambda: _asked(f"http://127.0.0.1:{port}/api") or server.poll() is not None)
            assert server.poll() is None, (home / "log").read_text(encoding="utf-8")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


def open_notebook(page: Page, address: str, folder: Path, *cells: str) -> None:
    """Write a notebook and open it."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [nbformat.v4.new_code_cell(cell.strip()) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), folder / "map.ipynb")
    visit(page, address, "map.ipynb")


def visit(page: Page, address: str, notebook: str) -> None:
    """Open a notebook and wait until its kernel is there: a run asked for earlier is not done at all."""
    page.goto(f"{address}/doc/tree/{notebook}")
    page.wait_for_selector(".jp-CodeCell", timeout=1000 * PATIENCE_S)
    wait(
        lambda: any(
            one["notebook"]["path"] == notebook
            and one["kernel"]["connections"]
            and one["kernel"]["execution_state"] == "idle"
            for one in _asked(f"{address}/api/sessions")
        )
    )


def run_all(page: Page) -> None:
    """Run all cells from the menu."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def pixels(page: Page) -> np.ndarray:
    """Take the map's stage as numbers."""
    shot = page.locator(".stage").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def tinted(seen: np.ndarray) -> np.ndarray:
    """Say which pixels have a colour rather than a grey."""
    return seen.max(axis=2) - seen.min(axis=2) > 15


def answers(address: str) -> bool:
    """Whether anybody answers there."""
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own loopback
            return True
    except OSError:
        return False


def _asked(address: str) -> list[dict[str, object]]:
    """Read JSON, nothing where nobody answers yet."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own loopback
            return json.load(answer)
    except OSError:
        return []


def wait(ready) -> None:
    """Wait until something holds."""
    until = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.25)
