"""What happens to work when the server stops, gently or not."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from helpers.serving import PNG, by_command, face, png, serving
from helpers.waiting import PATIENCE
from srez.serve.jobs.store import Store


@pytest.fixture(scope="module")
def large() -> bytes:
    """A minute of work, and many seconds on the fastest machine."""
    pattern = np.random.default_rng(1).integers(0, 256, (50, 50, 3), np.uint8)
    return png(np.tile(pattern, (40, 40, 1)), compress_level=1)


def test_a_gentle_stop_puts_a_long_job_back(tmp_path: Path, large: bytes) -> None:
    with serving(tmp_path, "--page", "none", "--grace-seconds", "1") as first:
        where = first.http.post("/v1/jobs", content=large, headers=PNG).headers["Location"]
        first.job(where, "running")
        first.process.terminate()
        assert first.process.wait(PATIENCE) == 0
    with serving(tmp_path, "--page", "none") as second:
        assert second.job(where, "queued", "running")
        assert second.http.delete(where).status_code == 204


def test_a_stop_is_short_and_begins_no_further_job(tmp_path: Path, large: bytes) -> None:
    with serving(tmp_path, "--page", "none", "--grace-seconds", "2") as first:
        bodies = (large, png(face()))
        places = [
            first.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"] for body in bodies
        ]
        first.process.terminate()
        assert first.process.wait(PATIENCE) == 0
    with closing(Store(tmp_path / "state", 10)) as store:
        jobs = [store.get(where.rpartition("/")[2]) for where in places]
        # The long one was not waited for either.
        assert [(job.state, job.attempts) for job in jobs if job] == [("queued", 0)] * 2


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    with (
        closing(Store(tmp_path / "state", 10)),  # as another server holds it
        pytest.raises(AssertionError, match="another server"),
        serving(tmp_path),
    ):
        pass


def test_a_closed_terminal_stops_a_server_gently(tmp_path: Path) -> None:
    with serving(tmp_path, "--page", "none") as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(PATIENCE) == 0
        assert "Application shutdown complete." in {line["event"] for line in server.logged()}


def test_a_picture_that_outlasts_the_grace_is_told_that_the_server_stops(tmp_path: Path) -> None:
    body = png(face(1, 900), "JPEG")
    with serving(tmp_path, "--page", "none", "--grace-seconds", "1") as server, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.http.post, "/v1/upscale", content=body, headers=PNG)
        time.sleep(0.5)
        server.http.get("/healthz")  # whoever connected before has been heard by then
        server.process.terminate()
        answer = asked.result(PATIENCE)
        assert (answer.status_code, answer.json()) == (503, {"error": "the server is stopping"})
        assert int(answer.headers["Retry-After"]) > 0
        assert server.process.wait(PATIENCE) == 0
        assert not [line for line in server.logged() if line["level"] == "error" and "traceback" in line]


@pytest.mark.serve_slow
def test_twenty_jobs_survive_a_killed_server(tmp_path: Path) -> None:
    bodies = [png(face(seed, 90)) for seed in range(20)]
    with serving(tmp_path, "--page", "none") as first:
        places = [
            first.http.post("/v1/jobs", content=body, headers=PNG).headers["Location"] for body in bodies
        ]
        first.job(places[0], "running", "done")
        first.kill()
    with serving(tmp_path, "--page", "none") as second:
        assert [second.job(where, "done")["state"] for where in places] == ["done"] * 20
        for body, where in zip(bodies, places, strict=True):
            assert second.http.get(where + "/result").content == by_command(tmp_path, body)
    print("20 jobs were queued, the server was killed, and 20 ended with the command line's result")
