"""Every network, through one set of tests: size, shape, one step, save, export, parity."""

from pathlib import Path

import keras
import numpy as np
import pytest
import skimage.data
import tensorflow as tf

from srez.images import resample
from srez.train import export, networks, recipe, recipes
from srez.train.networks import discriminators, faces, photo, srez

SMALL = {
    "srez": recipe.SrezGenerator(network="srez", units=(8, 4), tail=6),
    "faces": recipe.FacesGenerator(network="faces", channels=8, blocks=1),
    "srresnet": recipe.SrresnetGenerator(network="srresnet", channels=8, blocks=1),
    "photo": recipe.PhotoGenerator(network="photo", channels=8, blocks=1, repair=True),
}


@pytest.fixture(autouse=True)
def seed() -> None:
    """The same first weights in every test, whichever tests were run before it."""
    keras.utils.set_random_seed(0)


@pytest.fixture(params=SMALL)
def generator(request: pytest.FixtureRequest) -> keras.Model:
    return networks.build_generator(SMALL[request.param])


def test_sizes_are_as_stated() -> None:
    seed = networks.describe(networks.build_generator(recipes.load("srez").generator))
    assert seed.parameters == 3_848_291  # about 3.85 M
    assert seed.multiply_adds * 16 * 16 == pytest.approx(2.9e9, rel=0.02)
    ours = networks.describe(networks.build_generator(recipes.load("faces").generator))
    assert ours.parameters == 808_924
    assert ours.multiply_adds * 16 * 16 == pytest.approx(0.207e9, rel=0.01)
    assert discriminators.srez().count_params() == 4_179_905  # about 4.2 M


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (3, 5)])
def test_any_size_becomes_four_times_larger(generator: keras.Model, size: tuple[int, int]) -> None:
    height, width = (max(side, networks.describe(generator).minimum_size) for side in size)
    low = np.zeros((2, height, width, 3), np.float32)
    assert generator(low).shape == (2, height * 4, width * 4, 3)


def test_srresnet_starts_as_bicubic_upscaling() -> None:
    low = np.asarray(skimage.data.astronaut()[100:140, 200:240, :3] / 255, np.float32)[None]
    output = np.asarray(networks.build_generator(SMALL["srresnet"])(low, training=False))
    inside = (output - resample.bicubic(low, 4))[:, 16:-16, 16:-16]
    assert 10 * np.log10(1 / np.mean(inside**2)) > 45  # dB


def test_one_step_trains_every_weight(generator: keras.Model, random: np.random.Generator) -> None:
    low, high = random.random((2, 8, 8, 3), np.float32), random.random((2, 32, 32, 3), np.float32)
    for variable in generator.trainable_variables:  # some start at 0 and would hide others
        variable.assign_add(tf.random.stateless_normal(variable.shape, (1, 2), stddev=0.05))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.abs(generator(low, training=True) - high))
    gradients = tape.gradient(loss, generator.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)


def test_save_and_load(generator: keras.Model, tmp_path: Path, random: np.random.Generator) -> None:
    low = random.random((1, 6, 5, 3), np.float32)
    generator.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(again(low), generator(low), atol=1e-6)


def test_export_agrees_on_all_sizes(
    generator: keras.Model, tmp_path: Path, random: np.random.Generator
) -> None:
    for variable in generator.variables:  # moving averages too: they must be exported
        variable.assign(variable + 0.05 * random.random(variable.shape, np.float32))
    about = {"name": "x", "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    card = export.export(generator, tmp_path / "x.onnx", about)
    assert export.parity(generator, tmp_path / "x.onnx") < 1e-4
    assert card.parameters == generator.count_params()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.onnx", "x.toml"]


def test_receptive_radius_is_not_understated(generator: keras.Model, random: np.random.Generator) -> None:
    size = 41
    low = random.random((1, size, size, 3), np.float32)
    changed = low.copy()
    changed[:, size // 2, size // 2] += 1
    touched = np.abs(np.asarray(generator(changed)) - generator(low))[0].max(-1).max(1) > 0
    reach = np.abs(np.flatnonzero(touched) // 4 - size // 2).max()
    assert 0 < reach <= networks.describe(generator).receptive_radius


def test_least_size_is_as_described(generator: keras.Model) -> None:
    side = networks.describe(generator).minimum_size
    assert generator(np.zeros((1, side, side, 3), np.float32)).shape == (1, 4 * side, 4 * side, 3)


def test_faces_is_consistent_whatever_its_weights(random: np.random.Generator) -> None:
    network = faces.generator(8, 2)
    for variable in network.trainable_variables:
        variable.assign(random.normal(0, 0.3, variable.shape))
    low = random.random((2, 9, 7, 3), np.float32)
    np.testing.assert_allclose(resample.area(np.asarray(network(low)), 4), low, atol=1e-4)


def test_faces_starts_as_bicubic_made_consistent(random: np.random.Generator) -> None:
    network = faces.generator(8, 1)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.filters == 45 and layer.trainable:
            layer.kernel.assign(tf.zeros_like(layer.kernel))
    low = random.random((1, 12, 10, 3), np.float32)
    bicubic = resample.bicubic(low, 4)
    expected = bicubic + resample.nearest(low - resample.area(bicubic, 4), 4)
    inside = (slice(None), slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(np.asarray(network(low))[inside], expected[inside], atol=1e-5)


def test_dct_details_are_orthonormal_and_without_mean() -> None:
    basis = faces.dct_details().reshape(15, 16)
    np.testing.assert_allclose(basis @ basis.T, np.eye(15), atol=1e-12)
    np.testing.assert_allclose(basis.sum(1), 0, atol=1e-12)


def test_srez_uses_moving_averages_for_inference(random: np.random.Generator) -> None:
    network = srez.generator((8, 4), 6)
    low = random.random((4, 8, 8, 3), np.float32)
    alone, together = network(low[:1], training=False), network(low, training=False)
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)  # a batch may be summed in another order
    assert np.abs(network(low[:1], training=True)[0] - network(low, training=True)[0]).max() > 1e-3


DISCRIMINATORS = {
    "srez": recipe.SrezDiscriminator(network="srez", units=(4, 8)),
    "srgan": recipe.SrganDiscriminator(network="srgan", units=(4, 8), dense=6),
    "critic": recipe.Critic(network="critic", units=(4, 8)),
    "patches": recipe.PatchesDiscriminator(network="patches", units=(4, 8)),
    "unet": recipe.UnetDiscriminator(network="unet", units=(4, 8, 8)),
    "conditional critic": recipe.Critic(network="critic", units=(4, 8), conditional=True),
}


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_judges_pictures_and_trains(name: str, random: np.random.Generator) -> None:
    network = networks.build_discriminator(DISCRIMINATORS[name], 32)
    picture, low = random.random((2, 32, 32, 3), np.float32), random.random((2, 8, 8, 3), np.float32)
    with tf.GradientTape() as tape:
        logits, features = network([picture, low], training=True)
        loss = tf.reduce_sum(logits)
    assert logits.shape == {"patches": (2, 16, 16, 1), "unet": (2, 32, 32, 1)}.get(name, (2, 1))
    assert len(features) >= 2
    assert all(gradient is not None for gradient in tape.gradient(loss, network.trainable_variables))
    other = network([picture, 1 - low], training=False)[0]
    same = np.array_equal(other, network([picture, low], training=False)[0])
    assert same == (name != "conditional critic")


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_a_discriminator_is_saved_and_loaded(name: str, tmp_path: Path, random: np.random.Generator) -> None:
    network = networks.build_discriminator(DISCRIMINATORS[name], 32)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    inputs = [random.random((2, 32, 32, 3), np.float32), random.random((2, 8, 8, 3), np.float32)]
    ours, theirs = (keras.tree.flatten(each(inputs, training=False)) for each in (network, again))
    for mine, yours in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, yours, atol=1e-6)


@pytest.mark.parametrize("name", ["patches", "unet"])
def test_spectral_normalisation_bounds_every_kernel(name: str, random: np.random.Generator) -> None:
    """From the beginning, and after any update."""
    network = networks.build_discriminator(DISCRIMINATORS[name], 32)
    kernels = [variable for variable in network.trainable_variables if len(variable.shape) == 4]
    for kernel in kernels:
        assert np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2) == pytest.approx(1, abs=0.02)
    changes = [random.normal(0, 1, kernel.shape).astype(np.float32) for kernel in kernels]
    keras.optimizers.SGD(3.0).apply([keras.ops.convert_to_tensor(change) for change in changes], kernels)
    for kernel in kernels:
        assert np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2) == pytest.approx(1, abs=0.02)


def test_photo_keeps_flat_colours_whatever_its_weights(random: np.random.Generator) -> None:
    network = photo.generator(8, 2)
    for variable in network.trainable_variables:
        variable.assign(random.normal(0, 0.3, variable.shape))
    colours = np.array([[0, 0, 0], [1, 1, 1], [0.2, 0.5, 0.9]], np.float32)
    flat = np.broadcast_to(colours[:, None, None], (3, 9, 7, 3))
    quarter_level = 0.25 / 255  # these weights enlarge the rounding of the local mean some hundred times
    np.testing.assert_allclose(
        np.asarray(network(flat)),
        np.broadcast_to(colours[:, None, None], (3, 36, 28, 3)),
        atol=quarter_level,
    )


def reduced(images: np.ndarray) -> np.ndarray:
    """By MATLAB's bicubic, not rounded: `(N, H, W, C)` to `(N, H / 4, W / 4, C)`."""
    taps = resample.keys_cubic((np.arange(16) - 7.5) / 4)
    taps /= taps.sum()
    for axis in (1, 2):
        sides = [(6, 6) if each == axis else (0, 0) for each in range(4)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, sides, mode="symmetric"), 16, axis)
        images = windows[(slice(None),) * axis + (slice(None, None, 4),)] @ taps
    return images


def smooth(random: np.random.Generator) -> np.ndarray:
    return resample.bicubic(random.random((1, 8, 8, 3), np.float32), 3)


def inside(images: np.ndarray) -> np.ndarray:
    return images[:, 5:-5, 5:-5]


def test_photo_starts_as_bicubic_made_consistent(random: np.random.Generator) -> None:
    network = photo.generator(8, 1)
    for variable in network.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    low = random.random((1, 16, 18, 3), np.float32)
    bicubic = resample.bicubic(low, 4)
    expected = bicubic + resample.bicubic(low - reduced(bicubic), 4)
    within = (slice(None), slice(24, -24), slice(24, -24))
    np.testing.assert_allclose(np.asarray(network(low))[within], expected[within], atol=1e-4)


def test_photo_is_consistent_with_its_input(random: np.random.Generator) -> None:
    network = photo.generator(8, 1)
    low = smooth(random)
    bicubic = resample.bicubic(low, 4)
    before = np.abs(inside(reduced(bicubic) - low)).mean()
    for variable in network.trainable_variables[-1:]:  # so that it adds detail that is not small
        variable.assign(random.normal(0, 0.02, variable.shape))
    output = np.asarray(network(low))
    assert np.abs(output - bicubic).mean() > 0.002
    assert np.abs(inside(reduced(output) - low)).mean() < before / 4


def test_photo_repairs_only_where_it_may_and_keeps_the_mean(random: np.random.Generator) -> None:
    low = smooth(random)
    network = photo.generator(8, 1, repair=True)
    assert len(network.trainable_variables) == len(photo.generator(8, 1).trainable_variables) + 1
    before = np.asarray(network(low))
    variable = next(v for v in network.trainable_variables if v.shape == (3, 3, 8, 3))
    variable.assign(random.normal(0, 0.1, variable.shape))
    change = inside(reduced(np.asarray(network(low)) - before))
    assert np.abs(change).mean() > 0.002
    assert np.abs(change.mean()) < np.abs(change).mean() / 5


def test_photo_has_the_same_variables_with_and_without_repairs() -> None:
    shapes = [[tuple(v.shape) for v in photo.generator(8, 2, repair).variables] for repair in (False, True)]
    assert shapes[0] == shapes[1]
