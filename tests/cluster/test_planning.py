"""Plans of a Ray run, made without Ray."""

import os
from pathlib import Path
from typing import Any

import pytest

from srez.cluster.upscaling.batch import Batch, ModelChoice
from srez.cluster.upscaling.manifest import FAILED, OPEN, from_table, to_table
from srez.cluster.upscaling.planning import find_pictures
from srez.cluster.upscaling.store import Store
from srez.upscaling.convert import Options
from srez.upscaling.plan import Rules
from srez.upscaling.size import Size


def test_a_name_that_is_no_text_costs_one_picture(picture, tmp_path: Path) -> None:
    source = picture("in/a.png")
    for name in (b"\xff.png", b"\x1b[2J.png"):
        (source.parent / os.fsdecode(name)).write_bytes(source.read_bytes())
    found = find_pictures(Store.at(str(source.parent)), Store.at(str(tmp_path / "out")), Rules(), "settings")
    rows = {row.source: row for row in from_table(to_table(found.rows))}
    assert {name: row.status for name, row in rows.items()} == {
        r"\x1b[2J.png": FAILED,
        "a.png": OPEN,
        r"\xff.png": FAILED,
    }
    assert "rename it" in (rows[r"\xff.png"].error or "")


@pytest.mark.parametrize(
    "changed",
    [
        {"size": Size(width=100)},
        {"quality": 50},
        {"background": (255, 255, 255)},
        {"wrap": True},
        {"salvage": True},
    ],
)
def test_results_of_other_options_are_not_taken_for_these(changed: dict[str, Any]) -> None:
    first, second = (
        Batch("in", "out", ModelChoice("photo"), options=each) for each in (Options(), Options(**changed))
    )
    assert first.settings_hash() != second.settings_hash()


def test_results_with_faces_enlarged_are_others() -> None:
    first, second = (Batch("in", "out", ModelChoice("photo", faces=each)) for each in (False, True))
    assert first.settings_hash() != second.settings_hash()
