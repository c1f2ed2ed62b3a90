"""The store of jobs by itself."""

from pathlib import Path

import pytest

from srez.errors import OptionError
from srez.files import Size
from srez.serve import runner
from srez.serve.jobs import Store
from srez.serve.limits import MAX_ATTEMPTS
from srez.serve.refusals import RefusalError
from srez.serve.work import Wish


def test_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    wish = Wish("faces", 0.25, Size(width=80), "webp", 50)
    store = Store(tmp_path, 10)
    name = store.add(b"picture", wish).id
    begun = store.begin()
    assert begun
    assert (begun.id, begun.state, begun.attempts, begun.wish) == (name, "running", 1, wish)
    (tmp_path / "uploads" / "stray").write_bytes(b"")
    (tmp_path / "results" / ".half-written").write_bytes(b"")
    store.close()  # as a killed server leaves it
    again = Store(tmp_path, 10)
    job = again.get(name)
    assert job
    assert (job.state, job.wish) == ("queued", wish)
    assert again.upload(name).read_bytes() == b"picture"
    assert sorted(path.name for path in tmp_path.glob("*/*")) == [name]
    again.close()


def test_oldest_first_and_results_expire(tmp_path: Path) -> None:
    store = Store(tmp_path, 10)
    names = [store.add(b"", Wish()).id for _ in range(3)]
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
    job = store.add(b"", Wish())
    store.begin()
    assert store.remove(job.id)
    assert not store.remove(job.id)
    store.result(job).write_bytes(b"larger")
    store.finish(job.id)
    assert not list(tmp_path.glob("*/*"))
    store.close()


def test_bounds(tmp_path: Path) -> None:
    store = Store(tmp_path, 1)
    store.add(b"", Wish())
    with pytest.raises(RefusalError) as refused:
        store.add(b"", Wish())
    assert refused.value.status == 429
    with pytest.raises(OptionError, match="another server"):
        Store(tmp_path, 1)
    store.close()


def test_a_job_that_kills_the_server_is_given_up(tmp_path: Path) -> None:
    name = ""
    for _ in range(MAX_ATTEMPTS):
        store = Store(tmp_path, 5)
        name = name or store.add(b"", Wish()).id
        store.begin()
        store.close()
    store = Store(tmp_path, 5)
    working = runner.Runner(store, lambda *_: None, 60)
    working.start()
    while (job := store.get(name)) and job.state not in ("done", "failed"):
        pass
    working.stop(5)
    assert job
    assert job.state == "failed"
    assert f"{MAX_ATTEMPTS} times" in str(job.error)
    store.close()
