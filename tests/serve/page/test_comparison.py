"""Before and after on the page, in a real browser: zoom, layers, other guesses, faces."""

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from playwright.sync_api import Browser

import srez
from helpers import pictures
from helpers.browsing import LOADED, RESULT, Watched, downloaded, findings
from helpers.serving import Server, by_command, face, png
from srez.images import parts


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
    noise = np.random.default_rng(3).normal(128, 15, (80, 80, 3))
    watched.drop(png(((face(3, 80) + noise) / 2).astype(np.uint8)))  # a job, and repaired
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
