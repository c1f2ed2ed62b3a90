"""The page in a real browser: Debian's chromium."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from helpers.serving import Server, by_command, face, png
from helpers.waiting import PATIENCE

CHROMIUM = shutil.which("chromium")
DROP = """async ([selector, data]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
  const target = document.querySelector(selector);
  for (const name of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(name, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
TARGET = "#input .upload-container button"
# Where before and after meet, as CSS has it.
MEETING = "document.querySelector('#slider img.fixed').style.clipPath"
# Whether the slider has its pictures, and has stayed as and where it is for some frames; asked at each.
STILL = f"""() => {{
  const there = [...document.querySelectorAll("#slider img")].every(image => image.naturalWidth);
  const handle = document.querySelector("#slider [data-testid=slider]").getBoundingClientRect();
  const now = [{MEETING}, handle.x, handle.y, handle.width, handle.height].join();
  window.frames_alike = there && now == window.last_frame ? window.frames_alike + 1 : 0;
  window.last_frame = now;
  return window.frames_alike >= 20;
}}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE * 1000
        )
        yield running
        running.close()


class Watched:
    """A page, and what it should not do."""

    def __init__(self, browser: Browser, server: Server, width: int, height: int) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(PATIENCE * 1000)
        self.complaints: list[str] = []
        own = f"http://127.0.0.1:{server.port}/"

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.complaints.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith((own, "data:", "blob:")):
                self.complaints.append(request.url)

        self.page.on("console", said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", asked)
        self.page.goto(own)
        self.page.wait_for_selector("#start")
        self.page.wait_for_selector("text=a plausible guess, not evidence of who or what")

    def drop(self, picture: bytes) -> None:
        """Let go of a picture above the page, and wait until it is there."""
        self.page.wait_for_selector(TARGET)
        self.page.evaluate(DROP, [TARGET, base64.b64encode(picture).decode()])
        self.page.wait_for_selector("#input img")

    def meeting(self, before: str | None = None) -> str:
        """Where before and after meet, as soon as that has changed and nothing moves any more."""
        if before:
            self.page.wait_for_function(f"before => {MEETING} != before", arg=before)
        self.page.evaluate("window.frames_alike = 0")
        self.page.wait_for_function(STILL)
        return self.page.evaluate(MEETING)

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_drop_wait_slide_download(
    browser: Browser, server: Server, tmp_path: Path, width: int, height: int
) -> None:
    watched = Watched(browser, server, width, height)
    page = watched.page
    body = png(face(11))
    watched.drop(body)
    page.click("#start")
    page.wait_for_selector("#slider img.fixed")
    page.wait_for_selector("#facts >> text=16x16 became 64x64")
    handle = page.locator("[data-testid=slider]")
    handle.scroll_into_view_if_needed()
    before, box = watched.meeting(), handle.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 80, box["y"] + 60, steps=5)
    page.mouse.up()
    dragged = watched.meeting(before)
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert watched.meeting(dragged) != dragged
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "srez.png"
    assert Path(download.value.path()).read_bytes() == by_command(tmp_path, body)
    assert watched.fits()
    page.screenshot(path=tmp_path / f"page-{width}.png", full_page=True)
    assert not watched.complaints
    page.close()


def test_the_example_is_one_key_away(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.wait_for_selector("#example")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "example":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#slider img.fixed")
    page.wait_for_selector("#facts >> text=16x16 became 64x64")
    page.click("#sheet button")
    page.wait_for_selector("#sheet img")
    page.wait_for_function("document.querySelector('#sheet img').naturalWidth > 4 * 64 * 4")
    assert not watched.complaints
    page.close()


def test_a_large_picture_shows_its_middle_and_a_mistake_a_sentence(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(np.random.default_rng(3).integers(0, 256, (20, 300, 3), np.uint8)))
    page.click("#start")
    page.wait_for_selector("#facts >> text=the middle")
    page.reload()
    page.wait_for_selector("#start")
    page.click("#start")
    page.wait_for_selector("text=Choose a picture first.")
    page.close()
