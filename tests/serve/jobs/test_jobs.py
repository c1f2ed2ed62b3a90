"""The store of jobs by itself."""

import errno
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers.waiting import PATIENCE, until
from srez.errors import ImageError, OptionError, OutputError
from srez.serve.errors import HttpError
from srez.serve.inference.options import Options
from srez.serve.jobs import worker
from srez.serve.jobs.job import Job
from srez.serve.jobs.store import Store
from srez.serve.limits import MAX_ATTEMPTS


def test_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    options = Options(model="faces", fidelity=0.25, width=80, format="webp", quality=50)
    store = Store(tmp_path, 10)
    name = store.add(b"picture", options).id
    begun = store.begin()
    assert begun
    assert (begun.id, begun.state, begun.attempts, begun.options) == (name, "running", 1, options)
    (tmp_path / "uploads" / "stray").write_bytes(b"")
    (tmp_path / "results" / ".half-written").write_bytes(b"")
    store.close()  # as a killed server leaves it
    again = Store(tmp_path, 10)
    job = again.get(name)
    assert job
    assert (job.state, job.options) == ("queued", options)
    assert again.upload(name).read_bytes() == b"picture"
    assert sorted(path.name for path in tmp_path.glob("*/*")) == [name]
    again.close()


def test_jobs_of_an_earlier_version_are_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as database:
        database.execute(
            "CREATE TABLE jobs (number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, "
            "wish TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, finished REAL, "
            "error TEXT)"
        )
        wish = (
            '{"model": "photo", "fidelity": null, "size": {"scale": null, "width": 80, "height": null}, '
            '"format": "webp", "quality": 50}'
        )
        database.execute("INSERT INTO jobs VALUES (1, ?, 'running', ?, 1, 1.5, NULL, NULL)", ("a" * 32, wish))
        damaged = "INSERT INTO jobs VALUES (2, ?, 'queued', '{', 1, 1.5, NULL, NULL)"
        database.execute(damaged, ("b" * 32,))
        database.commit()
    with closing(Store(tmp_path, 10)) as store:
        job = store.begin()
        assert job
        options = Options(model="photo", width=80, format="webp", quality=50)
        assert (job.id, job.attempts, job.options) == ("a" * 32, 2, options)
        assert store.counts() == {"running": 1, "failed": 1}


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_database_is_refused_with_its_folder(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "jobs.sqlite3").write_bytes(content)
    with pytest.raises(OutputError, match=str(tmp_path)):
        Store(tmp_path, 10)


def test_a_damaged_page_of_the_database_is_refused_with_its_folder(tmp_path: Path) -> None:
    with closing(Store(tmp_path, 300)) as store:
        for _ in range(300):
            store.add(b"", Options())
    content = bytearray((tmp_path / "jobs.sqlite3").read_bytes())
    content[5 * 4096 : 6 * 4096] = b"x" * 4096
    (tmp_path / "jobs.sqlite3").write_bytes(content)
    with pytest.raises(OutputError, match=str(tmp_path)):
        Store(tmp_path, 300)


@pytest.mark.parametrize(
    "fault",
    [
        "options = 'no JSON'",
        """options = '{"wish": 1}'""",
        """options = '{"format": "gif"}'""",
        "options = x'ff'",
        "state = 'asleep'",
        "state = 'done'",
        "created = 'yesterday'",
        "created = 9e999",
        "attempts = 'many'",
    ],
)
def test_a_damaged_row_fails_and_stops_no_other_job(tmp_path: Path, fault: str) -> None:
    with closing(Store(tmp_path, 10)) as store:
        names = [store.add(b"", Options()).id for _ in range(2)]
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as database:
        database.execute(f"UPDATE jobs SET {fault} WHERE id = ?", (names[0],))
        database.commit()
    with closing(Store(tmp_path, 10)) as store:
        damaged, begun = store.get(names[0]), store.begin()
        assert damaged
        assert begun
        assert (damaged.state, begun.id) == ("failed", names[1])
        assert damaged.error
        assert store.expire(-1) == 1


def test_a_row_of_a_name_that_is_none_of_ours_goes(tmp_path: Path) -> None:
    with closing(Store(tmp_path, 10)) as store:
        store.add(b"", Options())
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as database:
        database.execute("UPDATE jobs SET id = '../jobs.sqlite3'")
        database.commit()
    with closing(Store(tmp_path, 10)) as store:
        assert not store.counts()
    assert (tmp_path / "jobs.sqlite3").exists()


def test_a_folder_in_place_of_an_upload_fails_its_job_alone(tmp_path: Path) -> None:
    store = Store(tmp_path, 5)
    names = [store.add(b"", Options()).id for _ in range(2)]
    store.upload(names[0]).unlink()
    (store.upload(names[0]) / "inside").mkdir(parents=True)

    def work(job: Job, _: Any) -> None:
        if not store.upload(job.id).is_file():
            raise ImageError("the picture is a folder")

    working = worker.JobWorker(store, work, 60)
    working.start()
    assert [wait_for(store, name, "done", "failed").state for name in names] == ["failed", "done"]
    working.stop(PATIENCE)
    assert store.remove(names[0])
    store.close()
    Store(tmp_path, 5).close()


def test_a_result_without_room_is_tried_again_behind_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_DISK_SECONDS", 0.1)
    store, begun = Store(tmp_path, 5), []
    names = [store.add(b"picture", Options()).id for _ in range(2)]

    def work(job: Job, _: Any) -> None:
        begun.append(job.id)
        if len(begun) == 1:
            raise OSError(errno.ENOSPC, "full")
        assert store.upload(job.id).read_bytes() == b"picture"

    working = worker.JobWorker(store, work, 60)
    working.start()
    assert [wait_for(store, name, "done").attempts for name in names] == [1, 1]
    working.stop(PATIENCE)
    assert begun == [names[0], names[1], names[0]]
    store.close()


def test_oldest_first_and_results_expire(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    names = [store.add(b"", Options()).id for _ in range(3)]
    job = store.begin()
    assert job
    assert job.id == names[0]
    store.result(job).write_bytes(b"larger")
    store.finish(job.id)
    assert store.expire(60) == 0
    assert store.expire(-1) == 1
    assert store.get(names[0]) is None
    assert not list((tmp_path / "results").iterdir())
    assert store.counts() == {"queued": 2}
    store.close()


def test_what_is_removed_while_it_runs_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    job = store.add(b"", Options())
    store.begin()
    assert store.remove(job.id)
    assert not store.remove(job.id)
    store.result(job).write_bytes(b"larger")
    store.finish(job.id)
    assert not list(tmp_path.glob("*/*"))
    store.close()


def test_bounds(tmp_path: Path) -> None:
    store = Store(tmp_path, 1)
    store.add(b"", Options())
    with pytest.raises(HttpError) as refused:
        store.add(b"", Options())
    assert refused.value.status == 429
    with pytest.raises(OptionError, match="another server"):
        Store(tmp_path, 1)
    store.close()


def test_a_job_that_kills_the_server_is_given_up(tmp_path: Path) -> None:
    name = ""
    for _ in range(MAX_ATTEMPTS):
        store = Store(tmp_path, 5)
        name = name or store.add(b"", Options()).id
        store.begin()
        store.close()
    store = Store(tmp_path, 5)
    working = worker.JobWorker(store, lambda *_: None, 60)
    working.start()
    job = wait_for(store, name, "done", "failed")
    working.stop(PATIENCE)
    assert job.state == "failed"
    assert f"{MAX_ATTEMPTS} times" in str(job.error)
    store.close()


def wait_for(store: Store, name: str, *states: str) -> Job:
    def found() -> Job | None:
        job = store.get(name)
        return job if job and job.state in states else None

    return until(found)


def test_a_job_that_is_removed_just_before_it_runs_stops_and_the_next_is_done(tmp_path: Path) -> None:
    class Removing(Store):
        """A client removes the first job between its start and its work."""

        first = True

        def begin(self) -> Job | None:
            job = super().begin()
            if job and self.first:
                self.first = False
                assert self.remove(job.id)
            return job

    store, finished = Removing(tmp_path, 5), []
    names = [store.add(b"", Options()).id for _ in range(2)]

    def work(job: Job, progress: Any) -> None:
        store.result(job).write_bytes(b"half of it")
        progress(0.5)
        finished.append(job.id)

    working = worker.JobWorker(store, work, 60)
    working.start()
    wait_for(store, names[1], "done")
    working.stop(PATIENCE)
    assert finished == names[1:]
    assert [path.stem for path in (tmp_path / "results").iterdir()] == names[1:]
    store.close()


def test_progress_does_not_fall_when_the_job_ends_while_it_is_told(tmp_path: Path) -> None:
    store, read = Store(tmp_path, 5), []
    name = store.add(b"", Options()).id

    def work(job: Job, progress: Any) -> None:
        progress(0.9)
        read.append(job)  # as somebody who asks reads it, before the end

    working = worker.JobWorker(store, work, 60)
    working.start()
    wait_for(store, name, "done")
    working.stop(PATIENCE)
    assert (read[0].state, working.progress(read[0])) == ("running", 0.9)
    store.close()


def test_what_came_of_a_job_is_noted_when_the_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_DISK_SECONDS", 0.05)

    class Full(Store):
        tries = 0

        def finish(self, name: str, error: str | None = None, faces: Any = None) -> None:
            self.tries += 1
            if self.tries < 3:
                raise sqlite3.OperationalError("database or disk is full")
            super().finish(name, error, faces)

    store, begun = Full(tmp_path, 5), []
    name = store.add(b"", Options()).id
    working = worker.JobWorker(store, lambda job, _: begun.append(job.id), 60)
    working.start()
    wait_for(store, name, "done")
    working.stop(PATIENCE)
    assert begun == [name]
    store.close()


def test_a_stop_waits_no_longer_than_it_may_and_counts_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "CUT_SECONDS", 0.1)
    store, gate, begun = Store(tmp_path, 5), threading.Event(), threading.Event()
    names = [store.add(b"", Options()).id for _ in range(2)]

    def deaf(*_: Any) -> None:
        begun.set()
        gate.wait()  # it does not look whether to stop

    working = worker.JobWorker(store, deaf, 60)
    working.start()
    assert begun.wait(PATIENCE)
    working.quit()
    assert not working.alive
    join, waited = working._thread.join, []
    monkeypatch.setattr(working._thread, "join", lambda seconds: waited.append(seconds) or join(seconds))
    working.stop(0.2)
    assert waited == [0.2, 0.1]
    jobs = [store.get(name) for name in names]
    assert [(job.state, job.attempts) for job in jobs if job] == [("queued", 0)] * 2
    gate.set()
    wait_for(store, names[0], "done")  # it was nearly so: then it is not done again
    store.close()


def test_results_that_expire_at_once_keep_no_thread_busy(tmp_path: Path) -> None:
    class Counting(Store):
        looks = 0

        def expire(self, seconds: float) -> int:
            self.looks += 1
            return super().expire(seconds)

    store = Counting(tmp_path, 5)
    working = worker.JobWorker(store, lambda *_: None, 0)
    began = time.monotonic()
    working.start()
    time.sleep(0.3)
    working.stop(PATIENCE)
    # At once and then once a second, however long the machine has made of that moment.
    assert store.looks < 1.5 + (time.monotonic() - began) / worker._LEAST_EXPIRE_SECONDS
    store.close()
