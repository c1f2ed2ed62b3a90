"""From a picture let go above the page to its download, in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from helpers.browsing import LOADED, RESULT, Watched, findings
from helpers.serving import Server, by_command, face, png

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
IN_VIEW = """() => {
  const box = document.querySelector(".compare .stage").getBoundingClientRect();
  return box.top >= -1 && box.bottom <= window.innerHeight + 1;
}"""


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


def test_a_mistake_is_a_sentence_that_stays(browser: Browser, server: Server) -> None:
    watched = Watched(browser, server, 1280, 900)
    page = watched.page
    page.click("#start")
    page.wait_for_selector("#facts >> text=Choose a picture first.")
    page.close()
