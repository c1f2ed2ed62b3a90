"""`srez demo`."""

import json
from pathlib import Path

from helpers.commands import refusal, run
from srez import images


def test_demo_writes_the_sheet_and_the_table(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = run("demo", "-o", sheet)
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in ("nearest", "bicubic", "srez", "faces-rgb"))
    assert images.read(sheet).pixels.shape[1] > 4 * 256
    figures = json.loads(run("demo", "-o", sheet, "--json").stdout)["figures"]
    assert figures["srez"]["psnr"] > figures["bicubic"]["psnr"] + 1.5
    assert figures["srez"]["ssim"] > figures["bicubic"]["ssim"] + 0.05
    assert figures["srez"]["consistency"] < 0.3


def test_demo_into_a_missing_folder(tmp_path: Path) -> None:
    assert "cannot be written" in refusal(run("demo", "-o", tmp_path / "missing/sheet.png"))
