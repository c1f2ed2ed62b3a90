"""A full disk: every write of a job fails as the system's would, and is a 507 that says so."""

import errno
import functools
import os
import resource
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL.PngImagePlugin import PngInfo

from helpers.serving import ask, by_command, face, let_files_grow_to, png, serving
from helpers.waiting import until
from srez.serve.inference.options import Options
from srez.serve.jobs.store import Store
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(face())
LARGE = png(np.random.default_rng(1).integers(0, 256, (800, 800, 3), np.uint8))  # over a megabyte
FULL = "/dev/full"  # writing to it fails as on a full disk


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Behind an application whose jobs nobody runs."""
    return Service(Settings(state=tmp_path / "state", page=Page.NONE))


def fill(store: Store) -> None:
    for _ in range(100):
        store.add(b"", Options())


def assert_full(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (507, {"error": "the server's disk is full"})
    assert int(answer.headers["Retry-After"]) > 0


def test_an_upload_that_cannot_be_stored(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.open

    def full(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        return usual(FULL, os.O_WRONLY) if flags & os.O_EXCL else usual(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", full)
    assert_full(ask(service, "POST", "/v1/jobs", content=FACE))
    assert not service.store.counts()


def test_a_row_that_cannot_be_stored(service: Service, tmp_path: Path) -> None:
    pages = service.store._database.execute("PRAGMA page_count").fetchone()[0]
    service.store._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        fill(service.store)
    uploads = list((tmp_path / "state" / "uploads").iterdir())
    assert_full(ask(service, "POST", "/v1/jobs", content=FACE))
    assert list((tmp_path / "state" / "uploads").iterdir()) == uploads  # nothing is left of it


@pytest.mark.parametrize(("path", "status"), [("/v1/jobs", 202), ("/v1/upscale", 200)])
def test_a_form_needs_no_disk(
    service: Service, monkeypatch: pytest.MonkeyPatch, path: str, status: int
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    chunk = PngInfo()
    chunk.add(b"paDd", bytes(2_000_000))  # more than forms keep in memory by default, of few pixels
    body = png(face(), pnginfo=chunk)
    assert ask(service, "POST", path, files={"file": ("a.png", body)}).status_code == status


def test_a_job_can_be_deleted_although_the_disk_is_full(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = service.store.add(FACE, Options())
    upload = service.store.upload(job.id)
    delete = service.store._delete

    def delete_with_room(name: str) -> bool:
        if upload.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return delete(name)

    monkeypatch.setattr(service.store, "_delete", delete_with_room)
    assert ask(service, "DELETE", f"/v1/jobs/{job.id}").status_code == 204
    assert ask(service, "GET", f"/v1/jobs/{job.id}").status_code == 404


def test_a_folder_that_became_unwritable_is_a_defect_and_no_full_disk(
    service: Service, tmp_path: Path
) -> None:
    (tmp_path / "state" / "uploads").rmdir()
    answer = ask(service, "POST", "/v1/jobs", content=FACE)
    assert answer.status_code == 500
    assert str(tmp_path) not in answer.text


def test_what_does_not_fit_is_told_and_a_job_is_kept_until_its_result_fits(tmp_path: Path) -> None:
    body = png(np.random.default_rng(1).integers(0, 256, (60, 100, 3), np.uint8))  # 18 kB; its result 300 kB
    with serving(tmp_path, "--page", "none") as server:
        post = functools.partial(server.http.post, "/v1/jobs", headers={"Content-Type": "image/png"})
        other = post(content=FACE).headers["Location"]
        server.job(other, "done")
        let_files_grow_to(server, len(body))
        where = post(content=body).headers["Location"]
        until(lambda: [line for line in server.logged() if line["event"] == "no room for a result"])
        assert server.http.get(where).json()["state"] in ("queued", "running")
        assert_full(post(content=LARGE))
        let_files_grow_to(server, resource.RLIM_INFINITY)
        server.http.delete(other)
        server.job(where, "done")
        assert server.http.get(where + "/result").content == by_command(tmp_path, body)
        assert not [line for line in server.logged() if "traceback" in line]
