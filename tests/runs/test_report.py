"""`srez report`: the page as a reader's browser gets it."""

import base64
import json
import re
from collections import Counter
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from helpers.drawn_runs import write_run
from srez.cli import app

VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text; fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.text, self.open = html, "", []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(run: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["report", str(run), *map(str, words)])


def page_of(run: Path) -> Page:
    result = report(run)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"The report is in {run / 'report.html'}\n"
    return Page((run / "report.html").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return page_of(write_run(folder, skipped=["a/<b>.jpg: damaged", "c.jpg: too small"]))


def test_the_page_needs_nothing_else(whole: Page) -> None:
    assert not {tag for tag, _ in whole.elements} & {"script", "link", "iframe", "object", "foreignobject"}
    for tag, attributes in whole.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            target = attributes.get(name)
            assert not target or target.startswith(("#", "data:image/png;base64,")), (tag, target)
        assert not any(name.startswith("on") for name in attributes), tag
    assert not re.findall(r"url\((?!#)|@import", whole.html)


def test_every_reference_within_the_page_leads_to_one_place(whole: Page) -> None:
    ids = Counter(attributes["id"] for _, attributes in whole.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    targets = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|labelledby="([^"]+)"', whole.html))
    assert len(targets) > 5
    assert {"".join(target) for target in targets} <= set(ids)


def test_every_picture_is_described(whole: Page) -> None:
    drawings = [attributes for _, attributes in whole.elements if attributes.get("role") == "img"]
    assert len(drawings) == len(whole.all("svg")) == 5
    labels = [str(attributes["aria-label"]) for attributes in drawings]
    assert labels[0].startswith("Validation by step: PSNR from 24.56 at step 40 to 26 at step 400; SSIM from")
    assert all(attributes["alt"] for attributes in whole.all("img"))
    assert whole.all("html") == [{"lang": "en"}]
    assert all(attributes.get("scope") in ("row", "col") for attributes in whole.all("th"))


def test_every_family_of_values_has_its_figure_with_units(whole: Page) -> None:
    for title in ("Validation", "Losses", "Discriminator", "Gradients", "Learning rate"):
        assert f"<h3>{title}</h3>" in whole.html
    for label in ("PSNR, dB", "grey levels", "training step", "L2 norm", "adversarial", "mean output"):
        assert re.search(rf"<text[^>]*>{label}</text>|<tspan[^>]*>{label}</tspan>", whole.html), label


def test_curves_take_the_colours_of_the_page(whole: Page) -> None:
    drawings = "".join(re.findall(r"<svg.*?</svg>", whole.html, re.S))
    assert {"var(--ink)", "var(--line)", "var(--pen-0)", "var(--pen-1)"} <= set(
        re.findall(r"var\([^)]*\)", drawings)
    )
    assert not re.findall(r"(?:fill|stroke): *#[0-9a-f]{3,6}", drawings)
    assert "prefers-color-scheme: dark" in whole.html


def test_sheets_are_the_first_the_last_and_some_between(whole: Page) -> None:
    steps = [int(number.replace(",", "")) for number in re.findall(r"<h3>Step ([\d,]+)</h3>", whole.html)]
    assert steps == [40, 80, 160, 240, 320, 400]
    for picture in whole.all("img"):
        data = base64.b64decode(str(picture["src"]).partition(",")[2])
        assert Image.open(BytesIO(data)).size == (int(picture["width"] or 0), int(picture["height"] or 0))


def test_recipe_card_and_facts_are_there_with_their_texts_escaped(whole: Page) -> None:
    assert "# A recipe for tests: <no> figures & no time." in whole.text
    assert "<b>Cartoons</b> only." in whole.text
    assert "a/<b>.jpg: damaged" in whole.text
    assert "2 pictures were skipped." in whole.text
    for words in ("905,564", "23.3340", "a.zip, b.zip", "tensorflow", "2.21.0", "26.24 dB", "1.00 h"):
        assert words in whole.text, words


def test_names_from_the_log_cannot_break_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "<i>run", done=40)
    with (run / "metrics.jsonl").open("a") as file:
        for step in (50, 60):
            file.write(json.dumps({"step": step, "<script>$x": step, '"><b>_gradient': 1.0}) + "\n")
    page = page_of(run)
    assert not page.all("script")
    assert not page.all("i")
    assert "<script>$x" in page.text
    assert "<i>run" in page.text


def test_scales_follow_the_values(tmp_path: Path) -> None:
    """Losses over decades get a log scale, a critic's, which are negative, a linear one."""
    run = write_run(tmp_path / "run", done=0)
    with (run / "metrics.jsonl").open("a") as file:
        for step in range(10, 200, 10):
            values = {"l1": 10.0 ** (-step / 40), "adversarial": 5.0 * step - 700, "real": step - 50.0}
            file.write(json.dumps({"step": step, **values}) + "\n")
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", page_of(run).html)
    assert {"0.1", "0.01", "0.001"} <= set(labels)
    assert any(label.startswith("−") for label in labels)
    assert not any("e" in label or "^" in label for label in labels if label[:1].isdigit())


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run", done=0))
    for words in (
        "Nothing was logged yet",
        "There are none yet",
        "0 of 400 steps",
        "There is none: the model",
    ):
        assert words in page.text
    assert not page.all("svg")


def test_what_is_damaged_is_said_in_the_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (run / "run.json").write_text("{")
    (run / "recipe.toml").unlink()
    (run / "sheets" / "step-00000040.png").write_bytes(b"no picture")
    (run / "model.toml").write_text("name = 1")
    (run / "metrics.jsonl").write_text("x\n" + (run / "metrics.jsonl").read_text())
    page = page_of(run)
    for words in (
        "run.json is damaged",
        "metrics.jsonl is damaged in line 1",
        "sheet step-00000040.png cannot be shown",
        "recipe.toml cannot be read",
        "model.toml is not a valid model card",
    ):
        assert words in page.text
    assert len(page.all("svg")) == 5
    assert "Step 400" in page.text


def test_the_report_goes_where_it_is_told_and_is_the_same_again(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=80)
    assert report(run, "-o", tmp_path / "one.html").exit_code == 0
    assert report(run, "-o", tmp_path / "two.html").exit_code == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
    assert not (run / "report.html").exists()


def test_refusals(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", done=40)
    before = sorted(tmp_path.rglob("*"))
    for words, reason in (
        ([tmp_path], "is not a training run: there is no run.json in it"),
        ([tmp_path / "nowhere"], "is not a training run"),
        ([run, "-o", tmp_path / "nowhere" / "a.html"], "cannot be written"),
        ([run, "-o", tmp_path], "cannot be written"),
    ):
        result = report(*words)
        assert result.exit_code == 2
        assert reason in result.stderr.replace("\n", " ")
    assert sorted(tmp_path.rglob("*")) == before


def test_bicubic_stands_beside_the_validations_and_no_dict_is_printed(tmp_path: Path) -> None:
    bicubic = {"psnr": 23.33, "ssim": 0.6986, "consistency": 3.41}
    page = page_of(write_run(tmp_path / "run", validation={"set": "s", "protocol": "p", "bicubic": bicubic}))
    assert "(bicubic 23.33)" in page.html
    without = page_of(write_run(tmp_path / "without"))
    assert page.html.count("stroke-dasharray") == without.html.count("stroke-dasharray") + 3
    assert "{'" not in page.text
