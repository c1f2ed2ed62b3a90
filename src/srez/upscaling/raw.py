"""Raw frames: video that comes and goes through pipes, without any header."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from srez import output
from srez.errors import ImageError, OptionError, OutOfMemoryError, TooLargeError
from srez.upscaling import standard
from srez.upscaling.convert import Options
from srez.upscaling.loading import Choose
from srez.upscaling.resizing import resized_bands
from srez.upscaling.stopping import stoppable
from srez.upscaling.upscaler import Upscaler


class FrameSize(NamedTuple):
    """Width and height, in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class PixelFormat(NamedTuple):
    """How a pixel is stored: its channels one behind the other."""

    channels: int
    dtype: str


PIXEL_FORMATS = {  # as ffmpeg calls them
    "gray": PixelFormat(1, "u1"),
    "gray16le": PixelFormat(1, "<u2"),
    "ya8": PixelFormat(2, "u1"),
    "rgb24": PixelFormat(3, "u1"),
    "rgb48le": PixelFormat(3, "<u2"),
    "rgba": PixelFormat(4, "u1"),
    "rgba64le": PixelFormat(4, "<u2"),
}


@dataclass(frozen=True)
class Raw:
    """What frames look like.

    Attributes:
        size: of each.
        pixel_format: a name of `PIXEL_FORMATS`.
    """

    size: FrameSize
    pixel_format: str = "rgb24"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a frame, `(H, W, C)`."""
        return self.size.height, self.size.width, PIXEL_FORMATS[self.pixel_format].channels

    @property
    def dtype(self) -> np.dtype:
        """Of its values in the stream."""
        return np.dtype(PIXEL_FORMATS[self.pixel_format].dtype)

    @property
    def frame_bytes(self) -> int:
        """How long a frame is."""
        height, width, channels = self.shape
        return height * width * channels * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.size} {self.pixel_format}"


@dataclass
class Stream:
    """How far a stream got.

    Attributes:
        frames: that were written.
        stopped: whether the user stopped it.
    """

    frames: int = 0
    stopped: bool = False


def upscale(choose: Choose, raw: Raw, options: Options, written: Callable[[int], None]) -> Stream:
    """Upscale raw frames from standard input to standard output, each as it comes.

    The first frame decides on the model. Repair is the most that a frame has asked for so far, so that it
    does not change to and fro from frame to frame.

    Args:
        choose: gives the upscaler for a frame.
        raw: what the frames look like; results are of the same pixel format.
        options: size of results, and what is refused.
        written: called with the number of frames that are written.

    Raises:
        ImageError: there are no frames, the last one is not whole, or a frame is too large.
        OptionError: the result would be too large, or frames would go to a terminal.
        OutOfMemoryError: memory does not suffice, even for small tiles.
        OutputError: standard output is closed, or nobody reads it any more.
    """
    standard.refuse_terminal()
    if raw.size.width * raw.size.height > options.max_pixels:
        raise TooLargeError(f"--raw {raw}: frames have at most {options.max_pixels:,} pixels (--max-pixels)")
    stream, upscaler, repair = Stream(), None, 0.0
    try:
        with stoppable(), output.stream() as target:
            for frame in _frames(raw):
                upscaler = upscaler or choose(frame)
                repair = max(repair, upscaler.repair_for(frame))
                for rows in _larger(upscaler, frame, repair, options):
                    target.write(rows.astype(raw.dtype, copy=False).data)
                target.flush()
                stream.frames += 1
                written(stream.frames)
    except MemoryError:
        raise OutOfMemoryError(f"frame {stream.frames + 1}: out of memory: try a smaller --tile") from None
    except KeyboardInterrupt:
        stream.stopped = True
    return stream


def _larger(upscaler: Upscaler, frame: np.ndarray, repair: float, options: Options) -> Iterator[np.ndarray]:
    size, card = (frame.shape[1], frame.shape[0]), upscaler.card
    target = options.result_size(size, card.scale)
    bands, _ = resized_bands(upscaler.bands(frame, repair=repair), size, card, target, options.wrap)
    return map(np.ascontiguousarray, bands)


def _frames(raw: Raw) -> Iterator[np.ndarray]:
    """Frames as they come, uint8 or uint16: `(H, W)` for gray, else `(H, W, C)`."""
    standard.refuse_closed()
    if sys.stdin.isatty():
        raise OptionError("--raw reads frames from a pipe, not from a terminal")
    shape = raw.shape if raw.shape[2] > 1 else raw.shape[:2]
    count = 0
    while data := standard.read(raw.frame_bytes):
        if len(data) < raw.frame_bytes:
            raise ImageError(
                f"standard input ends within frame {count + 1}, after {len(data):,} of {raw.frame_bytes:,} "
                f"bytes: were its frames {raw}?"
            )
        values = np.frombuffer(data, raw.dtype).reshape(shape)
        yield values.astype(values.dtype.newbyteorder("="), copy=False)
        count += 1
    if not count:
        raise ImageError("standard input is empty: it holds no frames")
