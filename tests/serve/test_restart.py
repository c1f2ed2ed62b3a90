"""What happens to work when the server stops, gently or not."""

import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from serve.running import Server, by_command, face, png, serving
from srez.serve.jobs import Store
from srez.serve.limits import CUT_SECONDS

PNG = {"Content-Type": "image/png"}
LARGE = png(np.random.default_rng(1).integers(0, 256, (700, 700, 3), np.uint8), "JPEG")


def wait_for(server: Server, where: str, *states: str) -> dict:
    end = time.monotonic() + 120
    while (job := server.http.get(where).json())["state"] not in states:
        assert time.monotonic() < end
        time.sleep(0.05)
    return job


def test_a_gentle_stop_puts_a_long_job_back(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-page", "--grace-seconds", "1") as first:
        where = first.http.post("/v1/jobs", content=LARGE, headers=PNG).headers["Location"]
        wait_for(first, where, "running")
        first.process.terminate()
        assert first.process.wait(20) == 0
    with serving(tmp_path, "--no-page") as second:
        assert wait_for(second, where, "queued", "running")
        assert second.http.delete(where).status_code == 204


def test_a_stop_is_short_and_begins_no_further_job(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-page", "--grace-seconds", "2") as first:
        first.http.post("/v1/jobs", content=LARGE, headers=PNG)
        second = first.http.post("/v1/jobs", content=png(face()), headers=PNG).headers["Location"]
        began = time.monotonic()
        first.process.terminate()
        assert first.process.wait(20) == 0
        assert time.monotonic() - began < 2 + CUT_SECONDS
    with closing(Store(tmp_path / "state", 10)) as store:
        job = store.get(second.rpartition("/")[2])
        assert job
        assert (job.state, job.attempts) == ("queued", 0)


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    with (
        serving(tmp_path, "--no-page"),
        pytest.raises(AssertionError, match="another server"),
        serving(tmp_path),
    ):
        pass


@pytest.mark.serve_slow
def test_twenty_jobs_survive_a_killed_server(tmp_path: Path) -> None:
    bodies = [png(face(seed, 90)) for seed in range(20)]
    with serving(tmp_path, "--no-page") as first:
        places = [
            first.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"] for body in bodies
        ]
        wait_for(first, places[0], "running", "done")
        first.kill()
    with serving(tmp_path, "--no-page") as second:
        states = [wait_for(second, where, "done", "failed")["state"] for where in places]
        assert states == ["done"] * 20
        for body, where in zip(bodies, places, strict=True):
            assert second.http.get(where + "/result").content == by_command(tmp_path, body)
    print("20 jobs were queued, the server was killed, and 20 ended with the command line's result")
