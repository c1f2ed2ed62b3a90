"""Training by several processes: Ray starts them, and starts them again when one dies."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.train
from ray.train.tensorflow import TensorflowTrainer
from ray.util.queue import Empty, Queue

from srez.cluster.connection import connected
from srez.errors import SrezError, TrainingError
from srez.train.recipe import FacesData, Recipe

MOST_DEATHS = 10  # of a group of workers, before the run is given up; preempted machines do not count
NEWS_SECONDS = 0.2  # between the steps that are told

Watcher = Callable[[int, dict[str, float]], None]
Teller = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What every worker does. All paths are the same on all machines.

    Attributes:
        recipe: its batch is that of all workers together.
        name: of the model.
        places: as `srez.train.data.load` takes them.
        partition: the same.
        out: the run folder, on a disk that all machines share.
        init: as `srez.train.weights.load` takes it.
        folder: what relative paths begin at.
    """

    recipe: Recipe
    name: str
    places: list[str] | None
    partition: Path | None
    out: Path
    init: str | None
    folder: Path


def train(run: Run, workers: int, gpus: int, address: str, watch: Watcher, tell: Teller) -> None:
    """Train with several processes until the recipe's last step, and export the model.

    If one dies, all are started again from the last checkpoint. An interrupt ends them; the last checkpoint
    stays.

    Args:
        run: what to do.
        workers: how many processes.
        gpus: of each.
        address: of Ray; see `connected`.
        watch: called with steps done and losses, not at every step; and with each validation's figures.
        tell: called with sentences, such as where the run goes on.

    Raises:
        SrezError: what any worker raises, as a training in one process would.
        TrainingError: workers died too often.
    """
    with connected(address, workers):
        news = Queue(actor_options={"num_cpus": 0})
        trainer = TensorflowTrainer(
            _work,
            train_loop_config={"run": run, "news": news},
            scaling_config=ray.train.ScalingConfig(
                num_workers=workers,
                use_gpu=gpus > 0,
                resources_per_worker={"CPU": 1, **({"GPU": gpus} if gpus else {})},
            ),
            run_config=ray.train.RunConfig(
                name="ray",
                storage_path=str((run.folder / run.out).resolve()),
                failure_config=ray.train.FailureConfig(max_failures=MOST_DEATHS),
                callbacks=[_Deaths(news)],
            ),
        )
        _follow(trainer, news, run.out, watch, tell)


def _follow(trainer: Any, news: Queue, out: Path, watch: Watcher, tell: Teller) -> None:
    """Wait for the end in this thread, which Ctrl-C reaches, and pass on what workers say."""
    failed: list[BaseException] = []

    def fit() -> None:
        try:
            trainer.fit()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=fit, daemon=True)
    thread.start()
    while True:
        ended = not thread.is_alive()
        try:
            kind, *what = news.get(timeout=1)
        except Empty:
            if ended:
                break
            continue
        if kind == "error":
            raise what[0]
        (watch if kind == "step" else tell)(*what)
    if failed:
        raise TrainingError(f"{out}: the workers died too often, the last time of: {_gist(failed[0])}")


class _Deaths(ray.train.UserCallback):
    """Says why all workers are started again."""

    def __init__(self, news: Queue) -> None:
        self._news = news

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        del run_context
        for rank, error in sorted(worker_exceptions.items()):
            self._news.put(("line", f"worker {rank} died ({type(error).__name__}: {_gist(error)})"))
        self._news.put(("line", "all workers start again from the last checkpoint"))


def _gist(error: BaseException) -> str:
    """The last line that says something: what comes before are traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _work(config: dict[str, Any]) -> None:
    """One worker's part; a mistake of the user's is told to the driver, who then ends all workers."""
    run, news = config["run"], config["news"]
    try:
        _train(run, news)
    except SrezError as error:
        news.put(("error", error))
        raise


def _train(run: Run, news: Queue) -> None:
    from srez.train import replicas

    strategy = replicas.across_processes()  # before anything else of TensorFlow's
    from srez.train import data, trainer, weights
    from srez.train.run import train_and_export

    if run.folder.is_dir():
        os.chdir(run.folder)
    start = weights.load(run.init, run.recipe.generator) if run.init else None
    trainer.require_possible(run.recipe, strategy)
    settings = run.recipe.data
    if run.places:
        pictures = data.load(settings, run.places, run.partition)
    else:
        assert isinstance(settings, FacesData)  # nothing else is drawn
        pictures = data.draw(settings)
    chief = ray.train.get_context().get_world_rank() == 0

    def tell(sentence: str) -> None:
        if chief:
            news.put(("line", sentence))

    told_at = 0.0

    def watch(step: int, values: dict[str, float]) -> None:
        nonlocal told_at
        figures = any(name.startswith("validation_") for name in values)
        if chief and (figures or step == run.recipe.steps or time.monotonic() > told_at + NEWS_SECONDS):
            told_at = time.monotonic()
            news.put(("step", step, values))

    for line in data.told(pictures, "run.json"):
        tell(line)
    train_and_export(run.recipe, run.name, pictures, run.out, watch, tell, start, strategy)
