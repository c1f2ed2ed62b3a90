"""`srez upscale --dry-run`."""

import json
from pathlib import Path

from PIL import Image

from helpers.commands import refusal, upscale


def test_dry_run_writes_nothing(picture, tmp_path: Path) -> None:
    good, bad = picture("a.png"), tmp_path / "bad.png"
    bad.write_text("words")
    result = upscale(good, bad, "-o", tmp_path / "out", "--scale", 2, "--dry-run")
    assert "out/a.png: 18x24" in result.stdout.replace("\n", "")
    assert "bad.png is not a" in refusal(result, exit_code=1)
    assert sorted(tmp_path.iterdir()) == [good, bad]


def test_a_dry_run_lists_everything(picture, tmp_path: Path) -> None:
    for number in range(25):
        picture(f"in/{number}.png")
    listed = upscale(tmp_path / "in", "--dry-run").stdout.splitlines()
    assert len(listed) == 26
    assert listed[-1] == "25 to upscale, 0 failed"


def test_a_dry_run_tells_what_will_be_refused(picture, tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 99, 200)]
    (tmp_path / "in").mkdir()
    frames[0].save(tmp_path / "in/animated.gif", save_all=True, append_images=frames[1:])
    picture("in/wide.png", (1, 5000, 3))
    picture("in/a.png")
    for words in ([], ["--dry-run"]):
        result = upscale(tmp_path / "in", "--format", "webp", "-o", tmp_path / "out", "--json", *words)
        assert result.exit_code == 1
        assert "animated.gif is animated (3 frames)" in result.stderr
        assert "wide.webp: WebP cannot hold a side of more than 16,383 pixels" in result.stderr
        report = json.loads(result.stdout)
        assert [entry["width"] for entry in report["planned" if words else "done"]] == [36]
        assert ("done" in report, "planned" in report) == ((False, True) if words else (True, False))
        assert len(report["failed"]) == 2
        (tmp_path / "out/a.webp").unlink(missing_ok=True)
    said = refusal(upscale(tmp_path / "in/a.png", "--scale", 9999, "--dry-run"), exit_code=1)
    assert "a.png: a 9x12 picture cannot become 89991x119988" in said
