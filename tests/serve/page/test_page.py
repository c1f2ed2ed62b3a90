"""The page in a real browser: Debian's chromium."""

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

import srez
from helpers import pictures
from helpers.serving import Server, by_command, face, png
from helpers.waiting import PATIENCE
from srez.images import parts

CHROMIUM = shutil.which("chromium")
DROP = """async ([selector, data, name, type]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type}));
  const target = document.querySelector(selector);
  for (const name of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(name, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
SLOW_ANSWERS = """() => {
  const ask = window.fetch;
  const wait = () => new Promise(resolve => setTimeout(resolve, 100));
  const slowly = {transform: async (piece, output) => { await wait(); output.enqueue(piece); }};
  window.fetch = async (...request) => {
    const answer = await ask(...request);
    if (!answer.url.includes("/queue/data")) return answer;
    return new Response(answer.body.pipeThrough(new TransformStream(slowly)), answer);
  };
}"""
START_AND_REMOVE = """async () => {
  document.querySelector("#start").click();
  await new Promise(resolve => setTimeout(resolve, 200));
  document.querySelector("[aria-label='Remove Image']").click();
}"""
REMEMBER = """() => {
  window.said = [];
  const remember = () => window.said.push(document.querySelector("#download").innerText);
  new MutationObserver(remember).observe(document, {childList: true, subtree: true, characterData: true});
}"""
TARGET = "#input .upload-container button"
RESULT = ".compare .after img"
LOADED = f"() => document.querySelector('{RESULT}')?.naturalWidth"
STYLE = "name => document.querySelector('.compare').style.getPropertyValue(name)"
IN_VIEW = """() => {
  const box = document.querySelector(".compare .stage").getBoundingClientRect();
  return box.top >= -1 && box.bottom <= window.innerHeight + 1;
}"""


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


@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(390, 844, "light"), (768, 1024, "dark"), (1280, 900, "light")]
)
def test_drop_wait_look_download(
    browser: Browser, server: Server, tmp_path: Path, width: int, height: int, scheme: str
) -> None:
    watched = Watched(browser, server, width, height)
    page = watched.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    body = png(face(11), "JPEG")
    watched.drop(body, "holiday.jpg", "image/jpeg")
    page.click("#start")
    page.wait_for_function(LOADED)
    page.wait_for_selector("#facts >> text=16 × 16 pixels became 64 × 64")
    page.wait_for_function(IN_VIEW)
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "holiday_x4.jpg"
    assert Path(download.value.path()).read_bytes() == by_command(tmp_path, body, ending="jpg")
    assert watched.fits()
    assert not findings(page)
    page.screenshot(path=tmp_path / f"page-{width}.png", full_page=True)
    assert not watched.complaints
    page.close()


def test_the_whole_result_is_zoomed_moved_and_divided(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(face(3, 60)))
    page.click("#start")
    page.wait_for_function(LOADED)
    assert page.evaluate(LOADED) == 4 * 60
    box = page.locator(".compare .stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 4, y, steps=3)
    page.mouse.up()
    assert watched.style("--split").startswith("75")
    page.focus(".compare .split")
    page.keyboard.press("ArrowRight")
    assert watched.style("--split").startswith("76")
    page.click(".compare [data-zoom=in]")
    assert watched.style("--zoom") == "1.5"
    page.focus(".compare .stage")
    page.keyboard.press("+")
    assert watched.style("--zoom") == "2.25"
    moved = watched.style("--x")
    page.keyboard.press("ArrowRight")
    assert float(watched.style("--x")[:-2]) == pytest.approx(float(moved[:-2]) - 40)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 5000, y - 5000, steps=3)  # no further than the corner
    page.mouse.up()
    assert float(watched.style("--x")[:-2]) == pytest.approx(-1.25 * box["width"], abs=2)
    page.click(".compare [data-zoom=fit]")
    assert (watched.style("--zoom"), watched.style("--x")) == ("1", "0px")
    page.keyboard.down("Control")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("() => document.querySelector('.compare').style.getPropertyValue('--zoom') > 1")
    assert not watched.complaints
    page.close()


def test_before_does_not_show_through_what_is_transparent_after(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(np.full((12, 12, 3), (250, 0, 0), np.uint8)))
    page.click("#start")
    page.wait_for_function(LOADED)
    page.evaluate("document.querySelector('.compare .after').style.visibility = 'hidden'")
    with Image.open(io.BytesIO(page.locator(".compare .stage").screenshot())) as shot:
        row = np.asarray(shot.convert("RGB"))[shot.height // 2].astype(int)
    left, right = row[len(row) // 4], row[len(row) * 3 // 4]
    assert np.abs(left - [250, 0, 0]).max() < 9
    assert np.abs(right - [250, 0, 0]).max() > 99
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_beside_a_narrow_picture_there_is_room_for_the_tools(
    browser: Browser, server: Server, width: int
) -> None:
    watched = Watched(browser, server, width, 900)
    page = watched.page
    watched.drop(png(np.zeros((200, 16, 3), np.uint8)))
    page.click("#start")
    page.wait_for_function(LOADED)
    buttons = [each.bounding_box() for each in page.locator(".compare .tools button").all()]
    stage = page.locator(".compare .stage").bounding_box()
    assert stage
    assert stage["height"] == pytest.approx(stage["width"] * 200 / 16, rel=0.05)
    assert {box["height"] for box in buttons if box} == {44}
    assert watched.fits()
    page.close()


def test_the_examples_are_one_key_away(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.wait_for_selector("#example-2")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "example-2":
            break
    page.keyboard.press("Enter")
    page.wait_for_function(LOADED)
    page.wait_for_selector("#facts >> text=16 × 16 pixels became 64 × 64")
    assert "face_x4.png" in page.inner_text("#download")
    assert not watched.complaints
    page.close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (768, 1024), (1280, 900)])
def test_other_guesses_and_how_sure_by_keyboard(
    browser: Browser, server: Server, tmp_path: Path, width: int, height: int
) -> None:
    watched = Watched(browser, server, width, height)
    page = watched.page
    watched.drop(png(pictures.portrait()), "face.png")
    page.click("#start")
    page.wait_for_function(LOADED)
    layer, switch = page.locator(".compare .layer"), page.get_by_label("Show how sure it is")
    assert layer.is_hidden()
    switch.focus()
    page.keyboard.press("Space")
    assert layer.is_visible()
    page.wait_for_function("() => document.querySelector('.compare .layer').naturalWidth === 64")
    page.screenshot(path=tmp_path / f"sure-{width}.png", full_page=True)
    own = page.get_attribute(RESULT, "src")
    guess = page.get_by_role("button", name="Guess 3", exact=True)
    guess.focus()
    page.keyboard.press("Enter")
    assert (guess.get_attribute("aria-pressed"), switch.is_disabled()) == ("true", True)
    assert page.get_attribute(RESULT, "src") != own
    assert layer.is_hidden()  # it is about the result
    with page.expect_download() as download:
        page.click(".guesses .save")
    assert download.value.suggested_filename == "face_x4.3.png"
    third = srez.load("faces").samples(pictures.portrait(), 3)[2]
    assert np.array_equal(np.asarray(Image.open(download.value.path())), third)
    assert watched.fits()
    assert not findings(page)
    page.screenshot(path=tmp_path / f"guess-{width}.png", full_page=True)
    page.get_by_role("button", name="Result", exact=True).click()
    assert page.get_attribute(RESULT, "src") == own
    assert layer.is_visible()
    assert not watched.complaints
    page.close()


def test_a_photograph_has_a_layer_and_no_other_guesses(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(face(3, 80)))  # a job, and repaired
    page.click("#start")
    page.wait_for_function(LOADED)
    page.get_by_text("Show how sure it is").click()
    assert page.locator(".compare .layer").is_visible()
    assert "take it as a hint" in page.inner_text("#sure-legend")
    assert page.locator(".guesses").count() == 0
    with page.expect_download() as download:
        page.click("#sure-legend a")
    assert download.value.suggested_filename == "holiday_x4.uncertainty.png"
    assert not watched.complaints
    page.close()


def test_a_second_picture_never_shows_the_result_of_the_first(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(face(3)))
    page.click("#start")
    page.wait_for_function(LOADED)
    watched.remove()
    watched.drop(png(face(5, 300)), "second.png")  # as long as it is not asked for, there is nothing
    page.wait_for_selector(RESULT, state="detached")
    page.wait_for_selector("#download:disabled")
    page.click("#start")
    page.wait_for_selector("#facts progress")
    watched.remove()  # one that is being upscaled stops
    page.wait_for_selector("#facts progress", state="detached")
    watched.drop(png(face(7)), "third.png")
    page.click("#start")
    page.wait_for_function(LOADED)
    assert page.evaluate(LOADED) == 4 * 16
    assert "third_x4.png" in page.inner_text("#download")
    assert not watched.complaints
    page.close()


def test_a_picture_taken_away_before_it_is_done_is_never_shown(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    watched.drop(png(face(5, 300)), "second.png")
    page.wait_for_selector("#input img")
    page.evaluate(REMEMBER)
    slow = {"offline": False, "latency": 1000, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.evaluate(START_AND_REMOVE)  # before the server can have answered the click
    watched.drop(png(face(7, 100)), "third.png")
    page.click("#start")
    page.wait_for_selector("#download >> text=third_x4.png")  # jobs wait: the second would be done
    assert "second" not in page.evaluate("window.said.join()")
    assert not watched.complaints
    page.close()


@pytest.mark.parametrize("slower", [1, 6])
def test_a_click_at_once_is_answered(browser: Browser, server: Server, slower: int) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    for name in ("first", "second"):
        watched.drop(png(face(3)), f"{name}.png")
        page.click("#start")
        page.wait_for_selector(f"#download >> text={name}_x4.png")
        watched.remove()
    assert not watched.complaints
    page.close()


def test_a_click_while_the_answer_to_the_upload_is_on_its_way(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.evaluate(SLOW_ANSWERS)
    with page.expect_response("**/queue/data**"):
        watched.drop(png(face(3)))
    page.wait_for_timeout(200)  # until the server has said all, of which the page has not heard yet
    page.click("#start")
    page.wait_for_selector("#download >> text=holiday_x4.png")
    assert not watched.complaints
    page.close()


def test_faces_are_boxed_and_one_can_be_left_out(browser: Browser, server: Server, tmp_path: Path) -> None:
    astronaut = skimage.data.astronaut()
    small, large = (parts.resized(each, 72, 72) for each in (astronaut, astronaut[40:200, 140:300]))
    body = png(np.concatenate([small, large, small[:, ::-1]], axis=1))
    watched = Watched(browser, server, 390, 844)
    page = watched.page
    watched.drop(body)
    switch = page.get_by_role("checkbox", name="Faces", exact=True)
    assert not switch.is_checked()
    switch.check()
    page.click("#start")
    page.wait_for_function(LOADED)
    boxes = page.locator(".compare .face")
    page.wait_for_selector("#found input")
    assert (boxes.count(), page.locator("#found input").count()) == (3, 2)
    assert "left as it is, since it is large enough" in page.inner_text("#facts")
    assert downloaded(page) == by_command(tmp_path, body, "--faces")
    place, stage = boxes.first.bounding_box(), page.locator(".compare .stage").bounding_box()
    assert place
    assert stage
    assert stage["x"] <= place["x"] < place["x"] + place["width"] <= stage["x"] + stage["width"]
    assert not findings(page)
    page.screenshot(path=tmp_path / "faces.png", full_page=True)

    number = page.locator(".compare .face.enlarged").first.get_attribute("data-face")
    other = page.locator(".compare .face.enlarged").last.get_attribute("data-face")
    page.click(f'.compare .face[data-face="{number}"]')
    page.wait_for_selector(f'.compare .face.chosen-not[data-face="{number}"]')
    page.wait_for_function(LOADED)
    assert downloaded(page) == by_command(tmp_path, body, "--faces", "--only-faces", str(other))
    box = page.locator(f'#found input[name="{number}"]')
    assert not box.is_checked()
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_selector(f'.compare .face.enlarged[data-face="{number}"]')
    page.wait_for_function(LOADED)
    assert downloaded(page) == by_command(tmp_path, body, "--faces")

    page.get_by_label("Show where the faces are").uncheck()
    assert page.locator(".compare .faces").is_hidden()
    watched.remove()
    page.wait_for_selector("#found", state="detached")
    assert watched.fits()
    assert not watched.complaints
    page.close()


def downloaded(page: Page) -> bytes:
    with page.expect_download() as download:
        page.click("#download")
    return Path(download.value.path()).read_bytes()


def test_a_mistake_is_a_sentence_that_stays(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.click("#start")
    page.wait_for_selector("#facts >> text=Choose a picture first.")
    page.close()
