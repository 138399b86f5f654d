"""A real browser for the tests in this folder."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import sync_playwright

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
    """Start a JupyterLab of its own, loopback only; give its address and its folder."""
    folder, home = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("jupyter")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ["JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    env = os.environ | {name: str(home / name.lower()) for name in [*places, "IPYTHONDIR"]}
    options = ["--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}", "--ServerApp.allow_root=True", "--ServerApp.log_level=ERROR"]
    quiet = home / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with (home / "log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *options]
        server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)  # noqa: S603 - our own program
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/api", server, home / "log")
        yield address, folder
        server.terminate()
        server.wait(timeout=30)


def _wait(address, server, log):
    """Wait until a server answers, or show why it ended."""
    for _ in range(240):
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own loopback
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(log.read_text(encoding="utf-8"))
