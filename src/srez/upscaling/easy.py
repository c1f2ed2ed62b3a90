"""`srez.upscale`: a picture in one line."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import overload

import numpy as np

from srez import images, output
from srez.errors import OptionError, SeveralError
from srez.images import Frames, Picture
from srez.images.pillow import PillowImage, as_pillow, from_pillow
from srez.models import box
from srez.models.devices import AUTO, Place
from srez.models.face_finder import Face
from srez.upscaling.convert import Options, Source, Target, convert
from srez.upscaling.faces import treated
from srez.upscaling.frames import are_several, convert_all
from srez.upscaling.loading import Choose, chooser
from srez.upscaling.tiling import ignore_progress
from srez.upscaling.upscaler import Upscaler


@overload
def upscale(
    image: np.ndarray, to: None = ..., *, model: str | Path = ..., device: str | None = ...
) -> np.ndarray: ...


@overload
def upscale(
    image: str | Path | PillowImage,
    to: None = ...,
    *,
    model: str | Path = ...,
    device: str | None = ...,
    frames: str | None = ...,
    faces: bool = ...,
    only_faces: Sequence[int] | None = ...,
) -> PillowImage: ...


@overload
def upscale(
    image: str | Path,
    to: str | Path,
    *,
    model: str | Path = ...,
    device: str | None = ...,
    frames: str | None = ...,
    faces: bool = ...,
    only_faces: Sequence[int] | None = ...,
) -> Path: ...


def upscale(
    image: str | Path | PillowImage | np.ndarray,
    to: str | Path | None = None,
    *,
    model: str | Path = box.AUTO,
    device: str | None = None,
    frames: str | None = None,
    faces: bool = False,
    only_faces: Sequence[int] | None = None,
) -> PillowImage | np.ndarray | Path:
    """Make a picture larger: `srez.upscale("small.jpg").save("large.png")`.

    The last models used stay loaded. `srez.load` gives an `Upscaler` with more to choose.

    Args:
        image: a file, a PIL image, or an array as an `Upscaler` takes it.
        to: a file to write, with all that `srez upscale` keeps; an existing one is replaced.
        model: "auto" for the built-in model that suits the picture, or as for `srez.load`.
        device: as for `srez.load`.
        frames: of a file with several frames or pages, "first" or "all", which is for `to` only; by default,
            such a file is refused.
        faces: whether faces in photographs are found and enlarged by the model of faces.
        only_faces: numbers of those to enlarge, from 1, the surest first; by default all that are found.

    Returns:
        A PIL image for a file or a PIL image, an array for an array, and `to` if that is given.

    Raises:
        SrezError: the picture, the model or the device cannot be used, or the result cannot be written.
    """
    if only_faces is not None and not faces:
        raise OptionError("only_faces= requires faces=True")
    only = None if only_faces is None else tuple(only_faces)
    options = Options(frames=_named(frames), only_faces=only)
    choose = _chooser(str(model), device, faces)
    if to is None:
        if options.frames == Frames.all:
            raise OptionError('frames="all" writes a file: say which (to=)')
        if isinstance(image, str | Path):
            picture = _read(options, Path(image), str(image), options.max_pixels)
            return _larger(choose, options, picture, str(image))
        upscaler = choose(_pixels(image))
        return upscaler(image, faces=_enlarged(upscaler, _pixels(image), only))
    if not isinstance(image, str | Path):
        raise OptionError("to= is for pictures that are files: save the result instead")
    target = Path(to)
    format_ = images.format_to_write(target, options.frames == Frames.all)
    source = Source(Path(image), str(image), partial(_read, options))
    make = convert_all if are_several(source.data, options, format_) else convert
    written = Target(lambda: output.atomic(target), str(target), format_)
    make(choose, source, written, options, ignore_progress)
    return target


def _named(frames: str | None) -> Frames | None:
    if frames is not None and frames not in list(Frames):
        raise OptionError(f"frames={frames!r}: choose {' or '.join(map(repr, map(str, Frames)))}")
    return None if frames is None else Frames(frames)


def _read(options: Options, data: Path | bytes, name: str, max_pixels: int) -> Picture:
    """Read a picture as the options ask; errors name no options of the command."""
    try:
        return images.read(data, name, max_pixels, first=options.frames is not None)
    except SeveralError as error:
        raise SeveralError(f'{error} without frames="first" or frames="all"') from None


def _larger(choose: Choose, options: Options, picture: Picture, name: str) -> PillowImage:
    upscaler = choose(picture.pixels)
    repair = upscaler.repair_for(picture.pixels, picture.jpeg)
    faces = _enlarged(upscaler, picture.pixels, options.only_faces)
    larger = upscaler(picture.pixels, repair=repair, faces=faces, jpeg=picture.jpeg)
    return as_pillow(replace(picture, pixels=larger), name)


def _enlarged(upscaler: Upscaler, pixels: np.ndarray, only: tuple[int, ...] | None) -> list[Face] | None:
    """The faces to enlarge; None for all that are found."""
    if only is None:
        return None
    return [each.face for each in treated(upscaler.faces_in(pixels), only) if not each.left]


@lru_cache(maxsize=4)
def _chooser(model: str, device: str | None, faces: bool) -> Choose:
    return chooser(model, place=Place(device, AUTO), faces=faces)


def _pixels(image: PillowImage | np.ndarray) -> np.ndarray:
    """What decides on the model."""
    return from_pillow(image) if isinstance(image, PillowImage) else image
