from pathlib import Path

import pytest

from srez.errors import OptionError
from srez.train import recipe, schedules


def test_the_seeds_recipe_is_the_seeds() -> None:
    srez = recipe.load("srez")
    assert (srez.batch, srez.steps) == (16, 130_000)
    assert (srez.loss.adversarial, srez.loss.consistency, srez.loss.l1) == (0.1, 0.9, 0)
    assert (srez.optimizer.learning_rate, srez.optimizer.beta_1, srez.optimizer.ema) == (2e-4, 0.5, 0)
    assert srez.data.model_dump() == {
        "pictures": "faces", "drawn": 0,
        "shift": 4, "flip": True, "saturation": 0.05, "brightness": 0.05, "contrast": 0.05, "noise": 0.03,
    }  # fmt: skip
    assert srez.generator == recipe.SrezGenerator(network="srez", units=(256, 128), tail=96)


def test_every_recipe_says_what_it_reaches_and_how() -> None:
    assert recipe.names() == ["faces", "photo", "smoke", "srez", "srgan", "srresnet", "wgan_gp"]
    for name in recipe.names():
        recipe.load(name)
        head = (Path(recipe.__file__).parent / "recipes" / f"{name}.toml").read_text().split("\n\n")[0]
        assert f"srez train {name} --" in head
        assert "Result:" in head
        assert "Time:" in head


def test_changes_are_dotted_and_typed(tmp_path: Path) -> None:
    changed = recipe.load(
        "faces", ["generator.channels=16", "optimizer.learning_rate=1e-4", "description=shorter"]
    )
    assert changed.generator == recipe.FacesGenerator(network="faces", channels=16, blocks=7)
    assert changed.optimizer.learning_rate == 1e-4
    assert changed.description == "shorter"
    own = tmp_path / "own.toml"
    own.write_text((Path(recipe.__file__).parent / "recipes/faces.toml").read_text())
    assert recipe.load(str(own)) == recipe.load("faces")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("colour=red", "colour: is not a key a recipe may have"),
        ("data.zoom=2", "data.faces.zoom: is not a key a recipe may have"),
        ("generator.faces.channels=2", "generator.faces"),
        ("batch=0", "batch: Input should be greater than 0"),
        ("batch=many", "batch: Input should be a valid integer"),
        ("data.shift=9", "data.faces.shift: Input should be less than or equal to 4"),
        ("generator.network=resnet", "generator: "),
        ("loss.adversarial=0.1", "loss.adversarial needs a [discriminator]"),
        ("loss.l1=0", "every weight in [loss] is 0"),
        ("discriminator.network=srez", "a [discriminator] needs loss.adversarial"),
        ("loss.r1=1", "loss.r1 needs a [discriminator]"),
        ("loss.variant=best", "loss.variant: Input should be 'non-saturating', 'least-squares'"),
        ("optimizer.schedule=cosine", "optimizer.cooldown and optimizer.schedule = "),
        ("optimizer.halve_every=5", "optimizer.halve_every and optimizer.schedule"),
        ("optimizer.accumulate=3", "batch must be a multiple of optimizer.accumulate"),
        ("precision=float8", "precision: Input should be 'float32', 'bfloat16' or 'float16'"),
        ("data.pictures=films", "data: "),
        ("batch", "write it as key=value"),
        ("batch.size=2", "batch is a value, not a table"),
    ],
)
def test_a_wrong_key_or_value_is_named(change: str, sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        recipe.load("faces", [change])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_recipes_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        OptionError, match="there is no recipe 'facez': take one of faces, photo, smoke, srez"
    ):
        recipe.load("facez")
    with pytest.raises(OptionError, match=r"nowhere\.toml cannot be read"):
        recipe.load(str(tmp_path / "nowhere.toml"))
    (tmp_path / "bad.toml").write_text("batch = = 2")
    with pytest.raises(OptionError, match="is not valid TOML"):
        recipe.load(str(tmp_path / "bad.toml"))


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("wgan_gp", ["loss.r1=1"], "loss.r1 and loss.gradient_penalty exclude each other"),
        ("wgan_gp", ["discriminator={network='srez'}"], "loss.gradient_penalty does not go with batch norm"),
        ("srresnet", ["loss.consistency=1"], "are not reduced by them"),
    ],
)
def test_options_that_exclude_each_other(name: str, changes: list[str], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        recipe.load(name, changes)
    assert sentence in str(caught.value)


def test_plateau_rises_stays_and_falls() -> None:
    settings = recipe.Optimizer(learning_rate=1.0, warmup=9, cooldown=0.5)
    shares = [schedules.share(settings, step, 100) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9:51] == [1.0] * 42
    assert shares[75] == pytest.approx(0.5)
    assert shares[99] == pytest.approx(0.02)
    assert schedules.share(recipe.Optimizer(learning_rate=1.0), 99, 100) == 1.0


def test_cosine_and_step_schedules() -> None:
    cosine = recipe.Optimizer(learning_rate=1.0, schedule="cosine")
    assert [schedules.share(cosine, step, 100) for step in (0, 50)] == pytest.approx([1.0, 0.5])
    assert schedules.share(cosine, 99, 100) < 0.001
    step = recipe.Optimizer(learning_rate=1.0, schedule="step", halve_every=10)
    assert [schedules.share(step, at, 100) for at in (0, 9, 10, 35)] == [1.0, 1.0, 0.5, 0.125]
