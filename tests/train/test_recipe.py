from pathlib import Path

import pytest

from srez.errors import OptionError
from srez.train import recipe, recipes, schedules


def test_the_seeds_recipe_is_the_seeds() -> None:
    srez = recipes.load("srez")
    assert (srez.batch, srez.steps) == (16, 130_000)
    assert (srez.loss.adversarial, srez.loss.consistency, srez.loss.l1) == (0.1, 0.9, 0)
    assert (srez.optimizer.learning_rate, srez.optimizer.beta_1, srez.optimizer.ema) == (2e-4, 0.5, 0)
    assert srez.data.model_dump() == {
        "pictures": "faces", "drawn": 0,
        "shift": 4, "flip": True, "saturation": 0.05, "brightness": 0.05, "contrast": 0.05, "noise": 0.03,
        "samples": 1, "planes": 0,
    }  # fmt: skip
    assert srez.generator == recipe.SrezGenerator(network="srez", units=(256, 128), tail=96)


def test_every_recipe_says_what_it_reaches_and_how() -> None:
    known = {"faces", "faces_vivid", "photo", "photo_repair", "photo_vivid"}
    assert known | {"smoke", "srez", "srgan", "srresnet", "wgan_gp"} <= set(recipes.names())
    for name in recipes.names():
        recipes.load(name)
        head = (Path(recipe.__file__).parent / "recipes" / f"{name}.toml").read_text().split("\n\n")[0]
        assert f"srez train {name} --" in head
        assert "Result:" in head
        assert "Time:" in head


def test_changes_are_dotted_and_typed(tmp_path: Path) -> None:
    changed = recipes.load(
        "faces", ["generator.channels=16", "optimizer.learning_rate=1e-4", "description=shorter"]
    )
    assert changed.generator == recipe.FacesGenerator(network="faces", channels=16, blocks=10)
    assert changed.optimizer.learning_rate == 1e-4
    assert changed.description == "shorter"
    own = tmp_path / "own.toml"
    own.write_text((Path(recipe.__file__).parent / "recipes/faces.toml").read_text())
    assert recipes.load(str(own)) == recipes.load("faces")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("colour=red", "colour is not a recipe key: use one of description, licence,"),
        ("data.zoom=2", "data.zoom is not a recipe key: use one of pictures, drawn, shift,"),
        ("generator.chanels=2", "generator.chanels is not a recipe key: use one of network, ch"),
        ("generator.faces.channels=2", "generator.faces is not a recipe key"),
        ("every.often=2", "use one of log, validate, checkpoint, minutes, keep"),
        ("batch=0", "batch: must be greater than 0, not 0"),
        ("batch=many", "batch: must be a valid integer, not 'many'"),
        ("steps=true", "steps: must be a number, not true"),
        ("generator={network='srez', units=[1, true]}", "generator.units.1: must be a number, not true"),
        ("generator={network='srez', units=[1, 2, 3]}", "generator.units: must have at most 2 items, not ["),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate: must be a finite number, not inf"),
        ("loss.l1=inf", "loss.l1: must be a finite number, not inf"),
        ("data.shift=9", "data.shift: must be less than or equal to 4, not 9"),
        ("generator={channels=8}", "generator.network is missing: use one of srez, faces, srresnet, photo"),
        ("generator.network=resnet", "generator.network: 'resnet' is unknown: use one of srez, faces, srr"),
        ("optimizer={}", "optimizer.learning_rate is missing"),
        ("perceptual=VGG19", "perceptual must be a table, not 'VGG19'"),
        ("discriminator=none", "discriminator must be a table, not 'none'"),
        ("loss.adversarial=0.1", "recipe faces: loss.adversarial needs a [discriminator]"),
        ("loss.l1=0", "recipe faces: every weight in [loss] is 0"),
        ("discriminator.network=srez", "a [discriminator] needs loss.adversarial"),
        ("loss.r1=1", "loss.r1 needs a [discriminator]"),
        ("loss.variant=best", "loss.variant: must be 'non-saturating', 'least-squares'"),
        ("optimizer.schedule=cosine", "optimizer.cooldown and optimizer.schedule = "),
        ("optimizer.halve_every=5", "optimizer.halve_every and optimizer.schedule"),
        ("optimizer.accumulate=3", "batch must be a multiple of optimizer.accumulate"),
        ("precision=float8", "precision: must be 'float32', 'bfloat16' or 'float16', not 'float8'"),
        ("data.pictures=films", "data.pictures: 'films' is unknown: use one of faces, photos, pairs"),
        ("data.drawn=1", "data.drawn must be at least 2"),
        ("batch", "write it as key=value"),
        ("batch.size=2", "batch is a value, not a table"),
    ],
)
def test_a_wrong_key_or_value_is_named(change: str, sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        recipes.load("faces", [change])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recipes_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no recipe 'facez': use one of faces, faces_samples, "):
        recipes.load("facez")
    with pytest.raises(OptionError, match=r"nowhere\.toml cannot be read: No such file"):
        recipes.load(str(tmp_path / "nowhere.toml"))
    (tmp_path / "bad.toml").write_text("batch = = 2")
    with pytest.raises(OptionError, match="is not valid TOML"):
        recipes.load(str(tmp_path / "bad.toml"))


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("wgan_gp", ["loss.r1=1"], "loss.r1 and loss.gradient_penalty cannot be combined"),
        (
            "wgan_gp",
            ["discriminator={network='srez'}"],
            "loss.gradient_penalty cannot be combined with batch norm",
        ),
        (
            "srez",
            ["loss.r1=1"],
            "loss.r1 cannot be combined with batch norm",
        ),
        ("photo_vivid", ["data.crop=24", "loss.shift=false"], "give a data.crop of as many at least"),
        ("wgan_gp", ["data.samples=2"], "loss.gradient_penalty and data.samples cannot be combined"),
        ("faces", ["loss.shift=true"], "loss.shift needs loss.perceptual or loss.adversarial"),
        ("faces_vivid", ["loss.shift=true"], 'use discriminator.network = "patches"'),
        (
            "photo_vivid",
            ["discriminator.network=unet", "discriminator.units=[8, 8, 8, 8, 8, 8, 8]"],
            "halves 96 pixels 6 times",
        ),
        ("srresnet", ["optimizer.schedule=milestones", "optimizer.ema=0"], "require each other"),
        ("srresnet", ["loss.consistency=1"], "are not reduced that way"),
    ],
)
def test_options_that_exclude_each_other(name: str, changes: list[str], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        recipes.load(name, changes)
    assert sentence in str(caught.value)


def test_plateau_rises_stays_and_falls() -> None:
    settings = recipe.Optimizer(learning_rate=1.0, warmup=9, cooldown=0.5)
    factors = [schedules.rate_factor(settings, step, step / 100) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:51] == [1.0] * 42
    assert factors[75] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.02)
    assert schedules.rate_factor(recipe.Optimizer(learning_rate=1.0), 99, 0.99) == 1.0


def test_cosine_and_step_schedules() -> None:
    cosine = recipe.Optimizer(learning_rate=1.0, schedule="cosine")
    assert [schedules.rate_factor(cosine, step, step / 100) for step in (0, 50)] == pytest.approx([1.0, 0.5])
    assert schedules.rate_factor(cosine, 99, 0.99) < 0.001
    step = recipe.Optimizer(learning_rate=1.0, schedule="step", halve_every=10)
    assert [schedules.rate_factor(step, at, at / 100) for at in (0, 9, 10, 35)] == [1.0, 1.0, 0.5, 0.125]


def test_srgan_goes_to_a_tenth_half_way() -> None:
    """Ledig et al., section 3.2: 1e5 updates at 1e-4, then 1e5 at 1e-5."""
    settings = recipes.load("srgan").optimizer
    rates = [settings.learning_rate * schedules.rate_factor(settings, 1, share) for share in (0.1, 0.49, 0.5)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5])
