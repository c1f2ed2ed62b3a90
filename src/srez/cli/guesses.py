"""`srez upscale --samples` and `--uncertainty`: what a result guesses, in files beside it."""

from typing import TYPE_CHECKING, Annotated

import typer

from srez.errors import OptionError

if TYPE_CHECKING:
    from srez.upscaling.batch import Work

Samples = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        help="Write this many plausible results of each picture instead of one, and a sheet of them, with a "
        "model that makes samples: faces.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the random numbers for --samples.")]
Uncertainty = Annotated[
    bool,
    typer.Option(
        "--uncertainty",
        help="Write a 16-bit PNG beside each result: how far each pixel may be from the truth.",
    ),
]


def work(
    samples: int | None,
    seed: int,
    uncertainty: bool,
    model: str,
    fidelity: float | None,
    repair: float | None,
    sized: bool,
) -> "Work | None":
    """What is made of each picture; None for its result alone.

    Args:
        samples: of each picture; None for its result.
        seed: of the samples.
        uncertainty: whether it is written too.
        model: that makes it.
        fidelity: that was asked for.
        repair: that was asked for.
        sized: whether a size was.

    Raises:
        OptionError: options contradict each other.
    """
    if samples:
        if uncertainty:
            raise OptionError("give either --samples or --uncertainty")
        if (fidelity, repair) != (None, None):
            raise OptionError("--samples have no fidelity and no repair to choose: omit it")
        from srez.upscaling import guesses

        return guesses.samples(samples, seed, model)
    if seed:
        raise OptionError("--seed requires --samples")
    if not uncertainty:
        return None
    if sized:
        raise OptionError("--uncertainty is of the model's own size: omit --scale, --width and --height")
    from srez.upscaling import guesses

    return guesses.with_uncertainty(model, fidelity, repair)


def label(samples: int | None) -> str:
    """What the names of results say of them."""
    if not samples:
        return ""
    from srez.upscaling.guesses import SHEET

    return SHEET
