"""What somebody sees who starts the server on a terminal."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from helpers.serving import Server
from helpers.waiting import PATIENCE
from srez.cli import app
from srez.serve.observe.logs import link


@contextmanager
def terminal(folder: Path) -> Iterator[int]:
    """The other end of the terminal of a server."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "srez", "serve", "--port", "0", "--state", str(folder / "state")]
    process = subprocess.Popen(command, stderr=theirs, cwd=folder)
    os.close(theirs)
    try:
        yield ours
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        os.close(ours)


def test_a_terminal_gets_a_link_that_works(tmp_path: Path) -> None:
    with terminal(tmp_path) as screen:
        text, end = "", time.monotonic() + PATIENCE
        while "Ctrl-C" not in text and time.monotonic() < end:
            text += os.read(screen, 10_000).decode()
        (address,) = [word for word in text.split() if word.startswith("http") and word.endswith("/")]
        assert httpx.get(address + "healthz", timeout=PATIENCE).status_code == 200
        assert "{" not in text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/"),
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::", "http://[::1]:80/"),
        ("fe80::1", "http://[fe80::1]:80/"),
    ],
)
def test_the_link_leads_to_this_machine(host: str, address: str) -> None:
    assert link(host, 80) == address


def test_the_reference_needs_nothing_from_elsewhere_and_names_every_route(server: Server) -> None:
    page = server.http.get("/docs")
    assert page.status_code == 200
    assert "<script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path, operations in server.http.get("/openapi.json").json()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in page.text


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_are_told_what_to_use_instead(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module("srez.serve.server")  # as this system does it
    monkeypatch.setattr(sys, "platform", platform)
    done = CliRunner().invoke(app, ["serve", "--port", "0"])
    assert done.exit_code == 2
    assert "Linux" in str(done.exception) + done.output
