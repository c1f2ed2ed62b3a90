from pathlib import Path

import pytest

from srez.errors import OptionError
from srez.train import recipe, schedules


def test_the_seeds_recipe_is_the_seeds() -> None:
    srez = recipe.load("srez")
    assert (srez.batch, srez.steps) == (16, 130_000)
    assert (srez.loss.adversarial, srez.loss.consistency, srez.loss.l1) == (0.1, 0.9, 0)
    assert (srez.optimizer.learning_rate, srez.optimizer.beta_1, srez.optimizer.ema) == (2e-4, 0.5, 0)
    assert srez.augmentation.model_dump() == {
        "shift": 4, "flip": True, "saturation": 0.05, "brightness": 0.05, "contrast": 0.05, "noise": 0.03,
    }  # fmt: skip
    assert srez.generator == recipe.SrezGenerator(network="srez", units=(256, 128), tail=96)


def test_every_recipe_says_what_it_reaches_and_how() -> None:
    assert recipe.names() == ["faces", "smoke", "srez"]
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
        ("augmentation.zoom=2", "augmentation.zoom: is not a key a recipe may have"),
        ("generator.faces.channels=2", "generator.faces"),
        ("batch=0", "batch: Input should be greater than 0"),
        ("batch=many", "batch: Input should be a valid integer"),
        ("augmentation.shift=9", "augmentation.shift: Input should be less than or equal to 4"),
        ("generator.network=resnet", "generator: "),
        ("loss.adversarial=0.1", "loss.adversarial needs a [discriminator]"),
        ("loss.l1=0", "every weight in [loss] is 0"),
        ("discriminator.network=srez", "a [discriminator] needs loss.adversarial"),
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
    with pytest.raises(OptionError, match="there is no recipe 'facez': take one of faces, smoke, srez"):
        recipe.load("facez")
    with pytest.raises(OptionError, match=r"nowhere\.toml cannot be read"):
        recipe.load(str(tmp_path / "nowhere.toml"))
    (tmp_path / "bad.toml").write_text("batch = = 2")
    with pytest.raises(OptionError, match="is not valid TOML"):
        recipe.load(str(tmp_path / "bad.toml"))


def test_learning_rate_rises_stays_and_falls() -> None:
    settings = recipe.Optimizer(learning_rate=1.0, warmup=9, cooldown=0.5)
    rates = [schedules.learning_rate(settings, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:51] == [1.0] * 42
    assert rates[75] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.02)
    assert schedules.learning_rate(recipe.Optimizer(learning_rate=1.0), 99, 100) == 1.0
