"""What the page shows beside a result: how sure it is, and other guesses."""

import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from srez import images
from srez.errors import SrezError
from srez.images import resample
from srez.serve.inference import several
from srez.serve.inference.picture import UpscalePlan
from srez.serve.page.browsers import SHOWN_BY_BROWSERS, png
from srez.serve.page.files import PageFiles
from srez.serve.service import Hold, Service
from srez.upscaling.guesses import is_of_repaired

SAMPLES = 8
FULL = 64  # grey levels, of a distance that gets the full colour
_COLOUR = (230, 0, 150)  # rare in pictures
_OPACITY = 0.8  # of the full colour
_MOST = 4_000_000  # pixels of a layer


async def sure(service: Service, body: bytes, plan: UpscalePlan) -> UpscalePlan:
    """A plan that makes the uncertainty too; the plan itself where that cannot be told."""
    options = plan.options.model_copy(update={"model": plan.model, "uncertainty": True})
    try:
        return await service.plan(body, options)
    except SrezError:
        return plan


def unpacked(archive: Path, result: Path) -> Path:
    """Unpack a result and its uncertainty, which lies beside it then.

    Args:
        archive: of `several.convert`; removed.
        result: where the result goes.

    Returns:
        The uncertainty.
    """
    with ZipFile(archive) as packed:
        first, second = packed.namelist()
        result.write_bytes(packed.read(first))
        distance = result.with_name(f"{result.stem}.{second}")
        distance.write_bytes(packed.read(second))
    archive.unlink()
    return distance


def caveat(distance: Path) -> str:
    """A sentence that says where an uncertainty does not hold; "" if it does."""
    if is_of_repaired(images.read(distance)):
        return "It was measured on pictures without damage; this one was repaired, so take it as a hint."
    return ""


def overlay(distance: Path) -> bytes:
    """An uncertainty as a layer of one colour, the more opaque the larger it is, as PNG."""
    gray = images.read(distance).pixels
    pixels = images.to_float(gray.reshape(*gray.shape[:2], 1))
    factor = int(np.ceil(np.sqrt(pixels.size / _MOST)))
    height, width = (side - side % factor for side in pixels.shape[:2])
    levels = 255 * resample.area(pixels[:height, :width], factor)
    alpha = np.rint(255 * _OPACITY * np.minimum(levels / FULL, 1)).astype(np.uint8)
    colour = np.broadcast_to(np.array(_COLOUR, np.uint8), (*alpha.shape[:2], 3))
    return png(np.concatenate([colour, alpha], axis=2))


async def others(
    service: Service, files: PageFiles, body: bytes, plan: UpscalePlan, name: str, hold: Hold
) -> list[Path]:
    """Samples of a small picture as files of the page, if the model makes them and there is room for them.

    Args:
        service: makes them.
        files: where they go.
        body: the picture.
        plan: of its result.
        name: of its result.
        hold: of `memory.holding`.
    """
    if not (service.models.cards[plan.model].samples and plan.is_small):
        return []
    wanted = plan.options.file_format
    format = wanted if wanted.name in SHOWN_BY_BROWSERS else images.PNG
    chosen = {"model": plan.model, "samples": SAMPLES, "format": format.name}
    without = {"fidelity": None, "repair": None, "faces": False, "only_faces": None}
    options = plan.options.model_copy(update={**chosen, **without})
    try:
        made = await service.upscale(body, options, hold)
        return await service.in_thread(_kept, files, made.data, Path(name).stem)
    except SrezError:  # the result is there all the same
        return []


def _kept(files: PageFiles, archive: bytes, stem: str) -> list[Path]:
    with ZipFile(io.BytesIO(archive)) as packed:
        names = [name for name in packed.namelist() if not name.startswith(several.SHEET)]
        return [files.keep(f"{stem}.{name}", packed.read(name)) for name in names]


def strip(files: PageFiles, result: str, guesses: Sequence[Path]) -> str:
    """Thumbnails to choose what is shown, as HTML for `guesses.js`; "" if there is nothing to choose.

    Args:
        files: the page's.
        result: the address of the result.
        guesses: the others.
    """
    if not guesses:
        return ""
    rest = [(f"Guess {n}", files.address(file), file.name) for n, file in enumerate(guesses, 1)]
    buttons = [_button(*each) for each in [("Result", result, ""), *rest]]
    return f"""<div class="guesses" role="group" aria-labelledby="guesses-title">
  <p id="guesses-title"><strong>Other guesses.</strong> All of them become your picture again when they are
    made small. None is the person.</p>
  <div class="strip">{"".join(buttons)}</div>
  <a class="save" download hidden></a>
</div>"""


def _button(label: str, address: str, name: str) -> str:
    return (
        f'<button type="button" data-guess="{escape(address)}" data-name="{escape(name)}" '
        f'aria-pressed="{str(not name).lower()}"><img src="{escape(address)}" alt="">{label}</button>'
    )


def switch(address: str, name: str, caveat: str) -> str:
    """The switch of the overlay and what its colour means, as HTML for `guesses.js`.

    Args:
        address: of the uncertainty's file.
        name: of it.
        caveat: of `caveat`.
    """
    return f"""<div class="sure">
  <label><input type="checkbox" data-sure aria-describedby="sure-legend"> Show how sure it is</label>
  <p id="sure-legend">The stronger the colour <span class="key" aria-hidden="true"></span>, the farther the
    result may be from the truth: in 9 of 10 pixels no farther than it says. The strongest stands for {FULL}
    of 255 grey levels or more. {caveat}
    <a href="{escape(address)}" download="{escape(name)}">Download it as numbers</a> (PNG, 16 bits).</p>
</div>"""


def layer(address: str) -> str:
    """The overlay itself, as HTML."""
    return (
        f'<img class="layer" src="{escape(address)}" alt="How far the result may be from the truth" hidden>'
    )
