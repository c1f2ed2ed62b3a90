"""A real browser: Debian's chromium."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from helpers.waiting import PATIENCE

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")  # as long as it runs, a test of the same process cannot call asyncio.run
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        yield running
        running.close()
