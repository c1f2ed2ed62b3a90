"""Lines, where they meet, and the planes that they make."""

import numpy as np
from PIL import Image, ImageDraw

from srez.models.selfexsr import planes
from srez.models.selfexsr.lines import segments
from srez.models.selfexsr.planes import Geometry, vanishing_points


def drawn(lines: list[tuple[float, float, float, float]], side: int = 128) -> np.ndarray:
    """Smooth dark lines on white, `(side, side)` float32."""
    image = Image.new("L", (4 * side, 4 * side), 255)
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line([4 * place for place in line], 40, 8)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32) / 255


def floor(side: int = 128) -> np.ndarray:
    """Tiles of a floor: lines to (64, -20), and lines to (420, -20), beyond the picture."""
    lines: list[tuple[float, float, float, float]] = []
    for end in range(-60, 200, 20):
        lines.append((64 + (end - 64) * 0.3, -20 + (side + 20) * 0.3, end, side))
    for start in range(40, 300, 26):
        lines.append((0, start, side, start + (-20 - start) * side / 420))
    return drawn(lines, side)


def test_a_line_is_found_where_it_is() -> None:
    found = segments(drawn([(20, 30, 100, 70)]))
    longest = found[np.argmax(np.hypot(*(found[:, 2:] - found[:, :2]).T))]
    x0, y0, x1, y1 = longest
    assert abs(np.hypot(x1 - x0, y1 - y0) - 89.4) < 6
    for x, y in ((x0, y0), (x1, y1)):
        assert abs(y - (30 + (x - 20) / 2)) < 2


def test_lines_meet_where_they_were_drawn_to() -> None:
    picture = floor()
    points = [point[:2] / point[2] for point in vanishing_points(segments(picture), picture.shape)]
    for wanted in ((64, -20), (420, -20)):
        assert min(np.hypot(*(point - wanted)) for point in points) < 0.1 * np.hypot(*wanted)


def test_a_floor_is_a_plane_and_noise_is_none(random: np.random.Generator) -> None:
    found = planes.find(floor())
    assert len(found.lines) >= 2
    assert found.costs.shape == (len(found.lines), 128, 128)
    horizons = found.lines[1:, :3]
    heights = -(horizons[:, 2:] + horizons[:, :1] * 64) / horizons[:, 1:2]
    assert np.abs(heights + 20).min() < 8
    noise = random.random((64, 64), np.float32)
    assert len(planes.find(noise).lines) == 1


def test_planes_are_left_out_on_request() -> None:
    assert len(planes.find(floor(), Geometry.AFFINE).lines) == 1
