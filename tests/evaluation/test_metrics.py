import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srez import images
from srez.evaluation import metrics
from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4, Protocol
from srez.images import resample


@pytest.fixture
def truth(random: np.random.Generator) -> np.ndarray:
    return random.integers(0, 256, (32, 24, 3), dtype=np.uint8)


def test_psnr_of_a_known_error(truth: np.ndarray) -> None:
    output = truth.copy()
    output[..., 0] ^= 1  # an error of one grey level in one of three channels
    assert metrics.psnr(output, truth, FACES_RGB) == pytest.approx(10 * np.log10(255**2 * 3))
    assert metrics.psnr(truth, truth, FACES_RGB) == float("inf")


def test_ssim_follows_wang_et_al(truth: np.ndarray, random: np.random.Generator) -> None:
    """Against the paper's equation 13, written out with its 11x11 window."""
    output = np.clip(truth + random.normal(0, 30, truth.shape), 0, 255).astype(np.uint8)
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def local(image: np.ndarray) -> np.ndarray:
        views = np.lib.stride_tricks.sliding_window_view(image, (11, 11))
        return (views * window).sum((-2, -1))

    def one_channel(x: np.ndarray, y: np.ndarray) -> float:
        mx, my = local(x), local(y)
        vx, vy, cov = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        top, bottom = (2 * mx * my + c1) * (2 * cov + c2), (mx**2 + my**2 + c1) * (vx + vy + c2)
        return float((top / bottom).mean())

    channels = zip(
        np.moveaxis(output.astype(float), -1, 0), np.moveaxis(truth.astype(float), -1, 0), strict=True
    )
    expected = np.mean([one_channel(x, y) for x, y in channels])
    assert metrics.ssim(output, truth, FACES_RGB) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("protocol", "shape"), [(FACES_RGB, (64, 64, 3)), (Y_MATLAB_X4, (70, 91))])
def test_psnr_and_ssim_are_those_of_scikit_image(
    random: np.random.Generator, protocol: Protocol, shape: tuple[int, ...]
) -> None:
    truth = random.integers(0, 256, shape, dtype=np.uint8)
    output = (truth + random.normal(0, 20, shape)).clip(0, 255).astype(np.uint8)
    border = protocol.border
    inside = [each[border : shape[0] - border, border : shape[1] - border] for each in (truth, output)]
    expected: Any = structural_similarity(
        *(each.reshape(*each.shape[:2], -1) for each in inside),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=-1,
    )
    assert metrics.ssim(output, truth, protocol) == pytest.approx(float(expected), abs=1e-12)
    expected = peak_signal_noise_ratio(*inside, data_range=255)
    assert metrics.psnr(output, truth, protocol) == pytest.approx(float(expected), abs=1e-9)


def test_truth_is_consistent_with_its_own_block_means(truth: np.ndarray) -> None:
    low = resample.area(truth, 4) / np.float32(255)
    assert metrics.consistency(truth, low, FACES_RGB) == pytest.approx(0, abs=1e-4)
    assert metrics.consistency(truth, low + 2 / 255, FACES_RGB) == pytest.approx(2, abs=1e-4)


def test_an_exact_picture_does_not_hide_the_others() -> None:
    """It counts as 100 dB in a mean; where no picture is exact, the mean is what it always was."""
    assert metrics.mean([{"psnr": 30.0}, {"psnr": 50.0}]) == {"psnr": 40.0}
    exact = {"psnr": float("inf"), "ssim": 1.0, "consistency": 0.0}
    other = {"psnr": 30.0, "ssim": 0.8, "consistency": 200.0}
    assert metrics.mean([exact, other]) == {"psnr": 65.0, "ssim": 0.9, "consistency": 100.0}
    assert metrics.exact([exact, other, exact]) == 2
    assert metrics.mean([{"lr_psnr": float("inf")}, {"lr_psnr": 40.0}]) == {"lr_psnr": 70.0}


def test_the_protocol_says_how_it_measures() -> None:
    text = str(FACES_RGB)
    assert all(
        word in text for word in ("faces-rgb", "x4", "uint8", "RGB", "border 0", "255", "11x11", "1.5")
    )


@pytest.mark.shared
def test_baselines_on_the_validation_faces(shared: Path) -> None:
    """The published baselines of the protocol, on CelebA's 500 validation faces."""
    folder = shared / "celeba-half"
    lines = (folder / "list_eval_partition.txt").read_text().split("\n")
    names = [line.split()[0] for line in lines if line.endswith(" 1")]
    with zipfile.ZipFile(folder / "img_align_celeba.zip") as archive:
        pictures = [images.read(archive.read(f"img_align_celeba/{name}"), name).pixels for name in names]
    truths = np.stack(pictures)[:, 30:94, 12:76]
    low = resample.area(truths, 4) / np.float32(255)
    bicubic = metrics.measure_faces(images.to_uint8(resample.bicubic(low, 4)), truths, low)
    assert len(names) == 500
    assert bicubic["psnr"] == pytest.approx(23.334, abs=0.005)
    assert bicubic["ssim"] == pytest.approx(0.6986, abs=0.0005)
    assert bicubic["consistency"] == pytest.approx(3.412, abs=0.005)
    nearest = images.to_uint8(resample.nearest(low, 4))
    psnr = np.mean(
        [metrics.psnr(output, truth, FACES_RGB) for output, truth in zip(nearest, truths, strict=True)]
    )
    assert psnr == pytest.approx(21.713, abs=0.005)
