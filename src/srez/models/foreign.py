"""Finding out what an ONNX file without a card is: one that takes an image and gives a larger one.

What the graph does not say is measured, by running it on small pictures.
"""

import logging
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path

import numpy as np

from srez.errors import ModelError, SlowModelError
from srez.images import resample
from srez.models import card as cards
from srez.models import graph, reach
from srez.models.card import Card, Form
from srez.models.fitting import fitted, in_form
from srez.models.runtime import Network

SIDES = (64, 96, 120, 128, 256, 512)  # of probes, in pixels: the first that a graph takes
RANGES = ((0, 1), (-1, 1), (0, 255))  # black and white, as projects have them; the likeliest first
CLOSE = 0.02  # of a range of 1, between a smooth picture's enlargement and what a network makes of it
LARGEST_SCALE = 16
SECONDS = 60.0  # that a probe may take
FALLBACK_REACH = 32  # input pixels, where a graph sees farther than was measured

_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
_log = logging.getLogger("srez")


@dataclass(frozen=True)
class Hints:
    """What a user knows of a model; None for what is to be found out.

    Attributes:
        takes: the values of black and white in its input and output.
        layout: "NHWC" or "NCHW".
    """

    takes: tuple[int, int] | None = None
    layout: str | None = None


def describe(path: Path, hints: Hints | None = None) -> Card:
    """The card of a model that has none. It is found out once in a process.

    Args:
        path: the .onnx file.
        hints: what is known already.

    Raises:
        ModelError: it cannot be run, or does not make an image larger by a whole factor.
    """
    try:
        stamp = path.stat()
    except OSError:
        raise ModelError(f"model {path} does not exist") from None
    return _describe(path, hints or Hints(), stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=16)
def _describe(path: Path, hints: Hints, _changed: int, _size: int) -> Card:
    data = graph.read(path)
    network = Network(data, f"model {path.name}", seconds=SECONDS)
    try:
        draft, side = _first_that_runs(network, _forms(network, hints, path), path)
        draft = _with_ranges(network, draft, hints, side)
        draft = _with_reach(network, draft, side)
    except SlowModelError:
        raise ModelError(
            f"{path} takes more than {SECONDS:g} seconds for a small picture: it cannot be used"
        ) from None
    except MemoryError:
        raise ModelError(f"{path} needs more memory than there is, even for a small picture") from None
    return replace(draft, parameters=graph.facts(data).parameters, sha256=cards.sha256(path))


def _forms(network: Network, hints: Hints, path: Path) -> list[Form]:
    """What a graph's input may be, by its type and shape; the likeliest first."""
    if len(network.inputs) != 1 or len(network.inputs[0].shape) != 4:
        raise ModelError(f"{path} cannot be used: its input is not one batch of images (4 axes)")
    entry = network.inputs[0]
    if entry.type not in _TYPES:
        raise ModelError(f"{path} cannot be used: it takes {entry.type}, not float, float16 or uint8 images")
    forms = []
    for channels, layout in product((3, 1, 4), [hints.layout] if hints.layout else ["NCHW", "NHWC"]):
        axis = 1 if layout == "NCHW" else 3
        sides = [length for number, length in enumerate(entry.shape) if number not in (0, axis)]
        count, known = entry.shape[0], entry.shape[axis]
        if isinstance(count, int) and count > 1:
            raise ModelError(f"{path} cannot be used: it takes exactly {count} images at a time")
        if not isinstance(known, int) or known == channels:
            fixed = tuple(length if isinstance(length, int) else 0 for length in sides)
            side = fixed if all(fixed) else ()
            form = Form(layout, channels, _TYPES[entry.type], (0, 1), (0, 1), 1, side, count == 1)
            certain = isinstance(known, int) + 2 * (not any(fixed) or all(fixed))
            forms.append((certain, form))
    if not forms:
        raise ModelError(
            f"{path} cannot be used: its input of shape {entry.shape} has no axis of 1, 3 or 4 channels"
        )
    most = max(certain for certain, _ in forms)
    return [form for certain, form in forms if certain == most]


def _first_that_runs(network: Network, forms: list[Form], path: Path) -> tuple[Card, int]:
    """A card with a form and a scale, and the side of pictures that the graph took."""
    reasons: list[ModelError] = []
    for form in forms:
        for side in (min(form.side),) if form.side else SIDES:
            shape = (form.side[0], form.side[1]) if form.side else (side, side)
            try:
                output = _probe(network, form, shape)
            except SlowModelError:
                raise
            except ModelError as error:
                reasons.append(error)
                continue
            rows, columns = (out / length for out, length in zip(output, shape, strict=True))
            if rows == columns and rows in range(1, LARGEST_SCALE + 1):
                return _draft(path, form, int(rows)), side
            sentence = (
                f"{path} cannot be used: it turned {shape[1]}x{shape[0]} pixels into {output[1]}x"
                f"{output[0]}, not 1 to {LARGEST_SCALE} times as many each way"
            )
            reasons.insert(0, ModelError(sentence))
            break
    raise reasons[0]


def _probe(network: Network, form: Form, shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width of what a graph makes of a gray picture, whatever its scale."""
    output = network.run(in_form(np.full((1, *shape, _channels(form)), 0.5, np.float32), form))
    if output.ndim != 4:
        raise ModelError(f"{network.name} gives an output of shape {output.shape}, not images")
    return output.shape[2:] if form.layout == "NCHW" else output.shape[1:3]


def _with_ranges(network: Network, draft: Card, hints: Hints, side: int) -> Card:
    """The first ranges with which a smooth picture comes back close to its enlargement."""
    shape = draft.form.side or (side, side)
    y, x = (np.linspace(0.2, 0.8, length, dtype=np.float32) for length in shape)
    picture = np.stack(np.broadcast_arrays(y[:, None], x[None], np.float32(0.5)), axis=-1)[None]
    expected = resample.bicubic(picture, draft.scale)
    if hints.takes:
        pairs = [(hints.takes, hints.takes)]
    else:
        takes = [(0, 255)] if draft.form.type == "uint8" else RANGES
        pairs = sorted(product(takes, RANGES), key=lambda pair: pair[0] != pair[1])  # most are equal
    raw = {
        taken: fitted(network.run, replace(draft, form=replace(draft.form, takes=taken)))(picture)
        for taken, _ in pairs
    }
    chosen, least = pairs[0], float("inf")
    for taken, given in pairs:
        far = float(np.abs((raw[taken] - given[0]) / (given[1] - given[0]) - expected).mean())
        # Many networks work nearly as well in a range that is not theirs: only a clear gain counts.
        if least > CLOSE and far < least / 2:
            chosen, least = (taken, given), far
    return replace(draft, form=replace(draft.form, takes=chosen[0], gives=chosen[1]))


def _with_reach(network: Network, draft: Card, side: int) -> Card:
    """How far the graph sees, and what its tiles must begin at."""
    run = fitted(network.run, draft)
    found = reach.measure(run, draft, side)
    if found is None:
        _log.warning(
            "%s sees farther than was measured: tiles overlap by %d pixels, and may show",
            draft.name,
            FALLBACK_REACH,
        )
        found = reach.Reach(FALLBACK_REACH, 1)
    multiple = found.period
    if not draft.form.side:
        multiple = reach.least_multiple(partial(_takes, network, draft, side), found.period, side)
    radius = max(-(-found.radius // multiple) * multiple, 2)
    bounded = multiple > 1 or bool(draft.form.side)
    return replace(
        draft,
        form=replace(draft.form, multiple=multiple),
        receptive_radius=radius,
        # Beyond its reflection comes what a size is filled up with, which must not be seen inside.
        edge=radius if bounded else 0,
    )


def _takes(network: Network, draft: Card, side: int, more: int) -> bool:
    """Whether a graph takes pictures that are a little larger, and makes them so."""
    picture = np.full((1, side + more, side + more, _channels(draft.form)), 0.5, np.float32)
    try:
        fitted(network.run, draft)(picture)
    except SlowModelError:
        raise
    except ModelError:
        return False
    return True


def _channels(form: Form) -> int:
    return 1 if form.channels == 1 else 3


def _draft(path: Path, form: Form, scale: int) -> Card:
    """A card that says nothing yet."""
    return Card(
        name=path.stem,
        description="found out from the file",
        licence="unknown",
        limits="What this model makes of pictures was not measured.",
        scale=scale,
        minimum_size=1,
        receptive_radius=0,
        parameters=0,
        multiply_adds=0,
        sha256="",
        training={},
        figures=[],
        form=form,
        keeps_flat=False,
    )
