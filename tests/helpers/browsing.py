"""The page in a browser, and what it should not do there."""

import base64
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from helpers.serving import Server
from helpers.waiting import PATIENCE

DROP = """async ([selector, data, name, type]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type}));
  const target = document.querySelector(selector);
  for (const name of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(name, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
TARGET = "#input .upload-container button"
RESULT = ".compare .after img"
LOADED = f"() => document.querySelector('{RESULT}')?.naturalWidth"
STYLE = "name => document.querySelector('.compare').style.getPropertyValue(name)"


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

    def drop(self, picture: bytes, name: str = "holiday.png", kind: str = "image/png") -> None:
        """Let go of a picture above the page, and wait until the page has taken it."""
        self.page.wait_for_selector(TARGET)
        self.page.evaluate(DROP, [TARGET, base64.b64encode(picture).decode(), name, kind])
        self.page.wait_for_selector("#input img, #input .uploading", state="attached")

    def remove(self) -> None:
        """Take the picture away."""
        self.page.get_by_label("Remove Image").click()

    def style(self, name: str) -> str:
        """A property of before and after."""
        return self.page.evaluate(STYLE, name)

    def fits(self) -> bool:
        """Whether nothing sticks out to the right."""
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def findings(page: Page) -> list[str]:
    """What axe-core takes for a serious fault, and where."""
    violations = Axe().run(page).response["violations"]
    grave = [each for each in violations if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html']}" for each in grave for node in each["nodes"]]


def downloaded(page: Page) -> bytes:
    """The result, by the button."""
    with page.expect_download() as download:
        page.click("#download")
    return Path(download.value.path()).read_bytes()
