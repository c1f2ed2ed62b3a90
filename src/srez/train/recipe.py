"""What a recipe holds: its tables, the range of each value, and what cannot be combined."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from srez.datasets.faces import FACE_SCALE, FACE_SIDE


def _not_bool(value: Any) -> Any:
    if isinstance(value, bool):  # which Python counts as 0 or 1
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


Integer = Annotated[int, BeforeValidator(_not_bool)]
Number = Annotated[float, BeforeValidator(_not_bool)]
Unit = Annotated[Number, Field(ge=0, le=1)]
Weight = Annotated[Number, Field(ge=0)]
Count = Annotated[Integer, Field(gt=0)]

LEAST_FOR_GRID = 28  # pixels a side: losses.grid averages over 7x7 input pixels


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FacesData(_Settings):
    """Aligned faces of 64x64, reduced by the mean of 4x4 blocks; validation faces are never augmented."""

    pictures: Literal["faces"]
    drawn: Annotated[Integer, Field(ge=0)] = 0  # cartoons to draw instead of reading --data; 0: read --data
    shift: Annotated[Integer, Field(ge=0, le=4)] = 4  # pixels of 64, either way
    flip: bool = True
    saturation: Unit = 0.0  # factors within 1 +- this
    brightness: Unit = 0.0  # added, within +- this; values are in [0, 1]
    contrast: Unit = 0.0  # factors within 1 +- this
    noise: Unit = 0.0  # standard deviation, on the network's input only
    samples: Count = 1  # of each face in a batch, which differ in their random numbers
    planes: Annotated[Integer, Field(ge=0)] = 0  # of random numbers, for a generator that takes them


class Damage(_Settings):
    """Blur, resizing, noise, JPEG, WebP and palettes on the network's input; see `srez.train.damage`."""

    share: Unit = 0.9  # of the pictures; the others are only reduced
    least: Unit = 0.0  # degree, drawn from here ...
    most: Unit = 1.0  # ... to here; 0: nearly none, 1: twice through noise and JPEG


class Crops(_Settings):
    """How crops are taken from pictures of any size."""

    crop: Annotated[Integer, Field(ge=20, multiple_of=4)] = 96  # side of an HR crop, in pixels
    candidates: Count = 1  # random crops, of which the most textured is used
    flip: bool = True
    turn: bool = True  # by multiples of 90 degrees


class PairsData(Crops):
    """Crops of pictures that come in two sizes, matched by their names."""

    pictures: Literal["pairs"]


class PhotosData(Crops):
    """Crops of photographs of any size, reduced by MATLAB's bicubic."""

    pictures: Literal["photos"]
    noise: Unit = 0.0  # standard deviation, on the network's input only
    jpeg: Annotated[Integer, Field(ge=0, lt=100)] = 0  # minimum quality, on half of the inputs; 0: no JPEG
    damage: Damage | None = None  # of the network's input, instead of noise and JPEG alone


Data = FacesData | PhotosData | PairsData


class SrezGenerator(_Settings):
    """The seed's residual generator."""

    network: Literal["srez"]
    units: tuple[Count, Count] = (256, 128)
    tail: Count = 96


class FacesGenerator(_Settings):
    """The block-DCT generator, which computes everything at LR size."""

    network: Literal["faces"]
    channels: Count = 64
    blocks: Count = 10
    planes: Annotated[Integer, Field(ge=0)] = 0  # of random numbers beside the picture, for samples


class SrresnetGenerator(_Settings):
    """SRResNet."""

    network: Literal["srresnet"]
    channels: Annotated[Integer, Field(ge=6)] = 64
    blocks: Count = 16


class PhotoGenerator(_Settings):
    """The photo generator, which is consistent with its input, and may repair it first."""

    network: Literal["photo"]
    channels: Count = 64
    blocks: Count = 6
    repair: bool = False  # whether it may change the input, but not its mean over a few pixels


Generator = SrezGenerator | FacesGenerator | SrresnetGenerator | PhotoGenerator


class SrezDiscriminator(_Settings):
    """The seed's convolutional discriminator."""

    network: Literal["srez"]
    units: tuple[Count, ...] = (64, 128, 256, 512)
    updates: Count = 1  # of the discriminator for each update of the generator


class SrganDiscriminator(_Settings):
    """SRGAN's discriminator, for crops of one size."""

    network: Literal["srgan"]
    units: tuple[Count, ...] = (64, 128, 256, 512)
    dense: Count = 1024
    updates: Count = 1


class Critic(_Settings):
    """Strided convolutions without normalisation, as a gradient penalty requires."""

    network: Literal["critic"]
    units: tuple[Count, ...] = (64, 128, 256, 512)
    conditional: bool = False  # sees the input beside the picture
    updates: Count = 1


class PatchesDiscriminator(_Settings):
    """A logit for every patch of the picture alone, with spectral normalisation."""

    network: Literal["patches"]
    units: Annotated[tuple[Count, ...], Field(min_length=1)] = (32, 64, 128)
    updates: Count = 1


class UnetDiscriminator(_Settings):
    """A logit for every pixel of the picture alone, from near and far, with spectral normalisation."""

    network: Literal["unet"]
    units: Annotated[tuple[Count, ...], Field(min_length=1)] = (32, 64, 128)
    updates: Count = 1


Discriminator = SrezDiscriminator | SrganDiscriminator | Critic | PatchesDiscriminator | UnetDiscriminator


class Perceptual(_Settings):
    """The network whose features the perceptual loss compares."""

    network: str = "VGG19"  # of keras.applications, or a .keras file that takes RGB in [0, 1]
    layers: tuple[str, ...] = ("block5_conv4",)
    weights: str = "imagenet"  # or a .h5 file for the application


class Loss(_Settings):
    """The weights of the generator's loss terms; a term of weight 0 is not computed."""

    l1: Weight = 0.0
    mean_l1: Weight = 0.0  # of the mean of a face's samples
    spread: Weight = 0.0  # how far samples are from differing as much as their mean errs
    share: Unit = 1.0  # of that, in variance; 1 for samples as different as the truth may be
    mse: Weight = 0.0
    ssim: Weight = 0.0  # of one less SSIM, of luma
    consistency: Weight = 0.0
    grid: Weight = 0.0
    perceptual: Weight = 0.0
    adversarial: Weight = 0.0
    feature_matching: Weight = 0.0
    variant: Literal["non-saturating", "least-squares", "hinge", "relativistic", "wasserstein"] = (
        "non-saturating"  # of the adversarial loss
    )
    gradient_penalty: Weight = 0.0  # on the discriminator, at interpolates
    r1: Weight = 0.0  # on the discriminator, at real pictures
    r1_every: Count = 16  # updates
    shift: bool = False  # whether perceptual and adversarial losses see crops that start anywhere

    def terms(self) -> dict[str, float]:
        """The weights above 0, by the name of their term."""
        names = (
            "l1",
            "mean_l1",
            "spread",
            "mse",
            "ssim",
            "consistency",
            "grid",
            "perceptual",
            "adversarial",
            "feature_matching",
        )
        return {name: getattr(self, name) for name in names if getattr(self, name)}


class Optimizer(_Settings):
    """Adam and its learning rate, for both networks."""

    learning_rate: Annotated[Number, Field(gt=0)]
    discriminator_learning_rate: Annotated[Number, Field(gt=0)] | None = None  # the same if not given
    beta_1: Annotated[Number, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[Number, Field(ge=0, lt=1)] = 0.999
    schedule: Literal["plateau", "cosine", "step", "milestones"] = "plateau"
    warmup: Annotated[Integer, Field(ge=0)] = 0  # steps of linear rise
    cooldown: Unit = 0.0  # plateau: the last part of the run, with a linear fall to 0
    halve_every: Annotated[Integer, Field(ge=0)] = 0  # step: the number of steps between halvings
    milestones: tuple[Annotated[Number, Field(gt=0, lt=1)], ...] = ()  # milestones: shares of the run
    decay: Annotated[Number, Field(gt=0, lt=1)] = 0.1  # milestones: factor of the rate at each
    clip_norm: Weight = 0.0  # maximum global norm of a network's gradients; 0: no limit
    accumulate: Count = 1  # parts that a batch is split into, to save memory
    ema: Annotated[Number, Field(ge=0, lt=1)] = 0.0  # decay of the averaged generator; 0: none


class Every(_Settings):
    """How often to log, validate and save, in steps; and what to keep."""

    log: Count = 50
    validate_: Annotated[Integer, Field(gt=0, alias="validate")] = 500
    checkpoint: Count = 500
    minutes: Annotated[Number, Field(gt=0)] = 10.0  # between checkpoints, at most
    keep: Count = 2  # checkpoints, besides the best


class Recipe(_Settings):
    """One experiment: networks, losses, data treatment, optimiser and length."""

    description: str
    licence: str = "unstated"  # of weights trained with it
    limits: str = "Where it fails is not stated."  # where it fails, and what its output is not
    steps: Count
    minutes: Weight = 0.0  # of training, instead of so many steps; 0: steps decide
    batch: Count = 16
    seed: Annotated[Integer, Field(ge=0, lt=2**31)] = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"  # of the arithmetic; weights: float32
    xla: bool = False
    deterministic: bool = True  # the same weights in every run, which costs time on a GPU
    data: Annotated[Data, Field(discriminator="pictures")] = FacesData(pictures="faces")
    generator: Annotated[Generator, Field(discriminator="network")]
    discriminator: Annotated[Discriminator, Field(discriminator="network")] | None = None
    perceptual: Perceptual = Perceptual()
    best_by: Literal["psnr", "ssim", "st_lpips"] = "psnr"  # the validation figure that chooses the best
    loss: Loss
    optimizer: Optimizer
    every: Every = Every()

    @property
    def drawn(self) -> int:
        """The number of cartoons it draws instead of reading data."""
        return self.data.drawn if isinstance(self.data, FacesData) else 0

    @property
    def seen_side(self) -> int:
        """The side of the pictures that a discriminator sees, in pixels."""
        side = FACE_SIDE if isinstance(self.data, FacesData) else self.data.crop
        return side - FACE_SCALE if self.loss.shift else side

    @property
    def samples(self) -> int:
        """The number of samples of each picture in a batch."""
        return self.data.samples if isinstance(self.data, FacesData) else 1

    def learning_rates(self) -> dict[str, float]:
        """The networks' learning rates, before the schedule, by the names they are logged under."""
        settings = self.optimizer
        rates = {"learning_rate": settings.learning_rate}
        if self.discriminator:
            own = settings.discriminator_learning_rate
            rates["discriminator_learning_rate"] = own or settings.learning_rate
        return rates

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        for wrong, sentence in _contradictions(self):
            if wrong:
                raise ValueError(sentence)
        return self


def _contradictions(recipe: Recipe) -> Iterator[tuple[bool, str]]:
    """The rules that involve several keys: whether each is broken, and what to say then."""
    loss, optimizer, discriminator = recipe.loss, recipe.optimizer, recipe.discriminator
    yield not loss.terms(), "every weight in [loss] is 0"
    yield (
        isinstance(recipe.data, PhotosData)
        and bool(recipe.data.damage and (recipe.data.noise or recipe.data.jpeg)),
        "[data.damage] has noise and JPEG of its own: leave data.noise and data.jpeg out",
    )
    yield bool(discriminator) and not loss.adversarial, "a [discriminator] needs loss.adversarial above 0"
    yield (
        bool(loss.grid) and isinstance(recipe.data, PhotosData) and recipe.data.crop < LEAST_FOR_GRID,
        f"loss.grid compares means over {LEAST_FOR_GRID} pixels: give a data.crop of as many at least",
    )
    yield (
        bool(loss.gradient_penalty) and recipe.samples > 1,
        "loss.gradient_penalty and data.samples cannot be combined",
    )
    for key in ("adversarial", "feature_matching", "gradient_penalty", "r1"):
        yield not discriminator and bool(getattr(loss, key)), f"loss.{key} needs a [discriminator]"
    yield (
        bool(loss.r1 and loss.gradient_penalty),
        "loss.r1 and loss.gradient_penalty cannot be combined: keep one",
    )
    for key in ("gradient_penalty", "r1"):  # which ask how a logit depends on its own picture alone
        yield (
            bool(getattr(loss, key)) and isinstance(discriminator, SrezDiscriminator | SrganDiscriminator),
            f'loss.{key} cannot be combined with batch norm: use discriminator.network = "critic"',
        )
    yield (
        loss.shift and not (loss.perceptual or loss.adversarial),
        "loss.shift needs loss.perceptual or loss.adversarial above 0",
    )
    yield (
        loss.shift and isinstance(discriminator, SrganDiscriminator | Critic),
        'loss.shift needs a discriminator for crops of any size: use discriminator.network = "patches"',
    )
    if isinstance(discriminator, UnetDiscriminator):
        side, halvings = recipe.seen_side, len(discriminator.units) - 1
        yield (
            bool(side % 2**halvings),
            f'discriminator.network = "unet" halves {side} pixels {halvings} times: give fewer units'
            + ("" if isinstance(recipe.data, FacesData) else ", or another data.crop"),
        )
    yield (
        bool(optimizer.cooldown) and optimizer.schedule != "plateau",
        f'optimizer.cooldown and optimizer.schedule = "{optimizer.schedule}" cannot be combined',
    )
    yield (
        bool(optimizer.halve_every) != (optimizer.schedule == "step"),
        'optimizer.halve_every and optimizer.schedule = "step" require each other',
    )
    yield (
        bool(optimizer.milestones) != (optimizer.schedule == "milestones"),
        'optimizer.milestones and optimizer.schedule = "milestones" require each other',
    )
    yield (
        bool(recipe.minutes) and optimizer.schedule == "step",
        'minutes and optimizer.schedule = "step", which counts steps, cannot be combined: use "milestones"',
    )
    yield bool(recipe.batch % optimizer.accumulate), "batch must be a multiple of optimizer.accumulate"
    drawn_planes = recipe.data.planes if isinstance(recipe.data, FacesData) else 0
    taken_planes = recipe.generator.planes if isinstance(recipe.generator, FacesGenerator) else 0
    yield drawn_planes != taken_planes, "data.planes and generator.planes must be the same"
    for key in ("mean_l1", "spread"):
        yield (
            bool(getattr(loss, key)) and recipe.samples < 2,
            f"loss.{key} needs data.samples of 2 or more",
        )
    yield recipe.drawn == 1, "data.drawn must be at least 2: one to train on and one to validate on"
    yield (
        bool(loss.consistency) and not isinstance(recipe.data, FacesData),
        f'loss.consistency measures block means, and data.pictures = "{recipe.data.pictures}" are not '
        "reduced that way",
    )
