"""A full disk: every write of a job fails as the system's would, and is a 507 that says so."""

import asyncio
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from helpers.serving import face, png
from srez.serve.api.app import create
from srez.serve.inference.options import Options
from srez.serve.jobs.store import Store
from srez.serve.limits import Settings
from srez.serve.service import Service

FACE = png(face())
LARGE = png(np.random.default_rng(1).integers(0, 256, (800, 800, 3), np.uint8))  # over a megabyte
FULL = "/dev/full"  # writing to it fails as on a full disk


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """Behind an application whose jobs nobody runs."""
    return Service(Settings(state=tmp_path / "state", page=False))


def ask(service: Service, method: str, path: str, **request: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(create(service.settings, service))
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            return await client.request(method, path, **request)

    return asyncio.run(run())


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


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/upscale"])
def test_a_form_that_cannot_be_kept(service: Service, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with Path(FULL).open("r+b", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda *_, **__: full)
        assert_full(ask(service, "POST", path, files={"file": ("a.png", LARGE)}))


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
