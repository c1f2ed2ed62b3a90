"""Samples and uncertainty by HTTP: zips of several pictures."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

import srez
from helpers.serving import PNG, Server, ask, by_command, face, png
from srez import images
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(face())


def unzipped(body: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)))


def test_samples_are_those_of_the_seed_and_a_sheet(server: Server) -> None:
    answer = server.http.post("/v1/upscale?model=faces&samples=3&seed=5", content=FACE, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    card = srez.load("faces").card
    assert card.samples
    assert answer.headers["X-Srez-Model-Sha256"] == card.samples.sha256
    assert "X-Srez-Fidelity" not in answer.headers
    files = unzipped(answer.content)
    assert list(files) == ["1.png", "2.png", "3.png", "sheet.png"]
    expected = srez.load("faces").samples(face(), 3, seed=5)
    assert all(np.array_equal(pixels(files[f"{n}.png"]), each) for n, each in enumerate(expected, 1))
    assert pixels(files["sheet.png"]).shape == (2 * 70 + 6, 2 * 70 + 6, 3)
    again = server.http.post("/v1/upscale?model=faces&samples=3&seed=5", content=FACE, headers=PNG)
    assert again.content == answer.content


def test_samples_have_the_size_and_the_format_that_are_asked_for(server: Server) -> None:
    query = "?model=faces&samples=2&scale=2&format=webp"
    files = unzipped(server.http.post("/v1/upscale" + query, content=FACE, headers=PNG).content)
    assert list(files) == ["1.webp", "2.webp", "sheet.webp"]
    assert pixels(files["1.webp"]).shape == (32, 32, 3)


@pytest.mark.parametrize("model", ["photo", "faces"])
def test_the_uncertainty_comes_with_the_result(server: Server, tmp_path: Path, model: str) -> None:
    body = png(face(4, 40))
    answer = server.http.post(f"/v1/upscale?model={model}&uncertainty=true", content=body, headers=PNG)
    assert answer.status_code == 200, answer.text
    files = unzipped(answer.content)
    assert list(files) == ["result.png", "uncertainty.png"]
    assert files["result.png"] == by_command(tmp_path, body, "--model", model)
    with Image.open(io.BytesIO(files["uncertainty.png"])) as picture:
        assert "9 of 10 pixels" in picture.info["Description"]
        distance = np.asarray(picture)
    expected = images.from_float(srez.load(model).uncertainty(face(4, 40)), np.uint16)
    assert np.abs(distance.astype(int) - expected).max() <= 1  # tiles of another size


def test_a_job_has_a_zip_as_its_result(server: Server) -> None:
    added = server.http.post("/v1/jobs?model=faces&samples=2&seed=3", content=FACE, headers=PNG)
    assert added.status_code == 202, added.text
    where = added.headers["Location"]
    job = server.job(where, "done")
    assert (job["samples"], job["seed"], "fidelity" in job) == (2, 3, False)
    result = server.http.get(job["result"])
    assert result.headers["Content-Type"] == "application/zip"
    direct = server.http.post("/v1/upscale?model=faces&samples=2&seed=3", content=FACE, headers=PNG)
    assert result.content == direct.content
    assert server.http.delete(where).status_code == 204


@pytest.mark.parametrize("path", ["/v1/upscale", "/v1/jobs"])
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?model=photo&samples=2", 400),
        ("?model=pixels&uncertainty=true", 400),
        ("?model=faces&samples=2&uncertainty=true", 400),
        ("?model=faces&samples=2&fidelity=1", 400),
        ("?model=faces&samples=2&repair=0.5", 400),
        ("?model=faces&seed=1", 400),
        ("?model=faces&uncertainty=true&scale=2", 400),
        ("?model=faces&uncertainty=true&fidelity=1", 400),
        ("?model=photo&uncertainty=true&repair=1", 400),
        ("?model=faces&samples=0", 422),
        ("?model=faces&samples=65", 422),
        ("?model=faces&samples=2&seed=-1", 422),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(server: Server, path: str, query: str, status: int) -> None:
    answer = server.http.post(path + query, content=FACE, headers=PNG)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["error"].splitlines()) == 1


@pytest.fixture(scope="module")
def small_service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    state = tmp_path_factory.mktemp("small")
    return Service(Settings(state=state, page=Page.NONE, max_direct_pixels=4 * 16 * 16, max_memory=1_000_000))


@pytest.mark.parametrize("path", ["/v1/upscale", "/v1/jobs"])
@pytest.mark.parametrize(
    ("query", "side", "fits"),
    [
        ("?model=faces&samples=4", 16, True),
        ("?model=faces&samples=5", 16, False),  # each counts
        ("?model=photo&uncertainty=true", 40, False),
        ("?model=faces&samples=4&scale=16", 16, False),  # of the memory
    ],
)
def test_work_and_memory_are_bounded(
    small_service: Service, path: str, query: str, side: int, fits: bool
) -> None:
    answer = ask(small_service, "POST", path + query, content=png(face(1, side)), headers=PNG)
    assert (answer.status_code in (200, 202)) == fits, answer.text
    assert fits or answer.status_code == 413
