"""The identity distance; `make test-perceptual` runs this with the extra installed."""

from pathlib import Path

import numpy as np
import pytest

from srez.errors import ModelError
from srez.evaluation import demo, evaluate, identity, methods, pairs
from srez.evaluation.perceptual import Distance
from srez.evaluation.protocol import FACES_RGB
from srez.images import resample, to_float, to_uint8
from srez.progress import untracked


@pytest.fixture
def distance() -> Distance:
    found = identity.distance()
    if found is None:
        pytest.skip("the extra srez[identity] is not installed")
    return found


def test_equal_is_zero_and_blur_is_farther_than_a_shade(distance: Distance) -> None:
    portrait = demo.portrait()[None]
    blurred = to_uint8(resample.bicubic(to_float(resample.area(portrait, 4)), 4))
    darker = (portrait * 0.9).astype(np.uint8)
    equal, blur, shade = (distance(other, portrait)[0] for other in (portrait, blurred, darker))
    assert equal == 0
    assert 0 < shade < blur
    assert blur > 0.3


def test_other_weights_are_refused(distance: Distance, monkeypatch: pytest.MonkeyPatch) -> None:
    assert distance
    monkeypatch.setattr(identity, "_SHA256", "0")
    with pytest.raises(ModelError, match="is not dlib's face recognition"):
        identity.distance()


@pytest.mark.shared
def test_validation_faces(distance: Distance, shared: Path) -> None:
    """Bicubic stands at .518 on CelebA's test faces (another part than this); ours is closer."""
    assert distance
    folder = shared / "celeba-half"
    measured_on = pairs.from_faces(
        folder / "img_align_celeba.zip", folder / "list_eval_partition.txt", 1, limit=60
    )
    chosen = [methods.baselines(4)[1], methods.model("faces", 4)]
    bicubic, ours = evaluate.evaluate(chosen, measured_on, untracked).results
    assert bicubic.mean["identity"] == pytest.approx(0.518, abs=0.03)
    assert (ours.mean["identity"] or 1) < 0.43


def test_without_the_extra_it_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "find_spec", lambda _: None)
    low = np.zeros((1, 16, 16, 3), np.float32)
    pair = pairs.Pair("black", "black", low[0], np.zeros((64, 64, 3), np.uint8))
    pair_set = pairs.PairSet("black", FACES_RGB, [pair], ["black"])
    found = evaluate.evaluate(methods.baselines(4), pair_set, untracked)
    assert [result.mean["identity"] for result in found.results] == [None, None]
