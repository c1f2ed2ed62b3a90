"""Training by several processes: Ray starts them, and starts them again when one dies."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import ray.train
from ray.train.tensorflow import TensorflowTrainer
from ray.util.queue import Empty, Queue

from srez.cluster.connection import connected
from srez.errors import SrezError, TrainingError
from srez.runs.layout import RunLayout
from srez.train import start
from srez.train.reporter import Reporter
from srez.train.start import Request

MOST_DEATHS = 10  # of a group of workers, before the run is given up; preempted machines do not count
NEWS_SECONDS = 0.2  # between the steps that are sent to the driver


def train(request: Request, folder: Path, workers: int, gpus: int, address: str, reporter: Reporter) -> None:
    """Train with several processes until the recipe's last step, and export the model.

    If one dies, all are started again from the last checkpoint. An interrupt ends them; the last checkpoint
    stays.

    Args:
        request: what to train; its batch is that of all workers together. All paths are the same on all
            machines, and the run folder is on a disk that they share.
        folder: what relative paths begin at.
        workers: how many processes.
        gpus: of each.
        address: of Ray; see `connected`.
        reporter: is told of some of the steps, of every validation, and of workers that died.

    Raises:
        SrezError: what any worker raises, as a training in one process would.
        TrainingError: workers died too often.
    """
    with connected(address, workers):
        news = Queue(actor_options={"num_cpus": 0})
        layout = RunLayout(folder / request.out)
        trainer = TensorflowTrainer(
            _worker,
            train_loop_config={"request": request, "folder": folder, "news": news},
            scaling_config=ray.train.ScalingConfig(
                num_workers=workers,
                use_gpu=gpus > 0,
                resources_per_worker={"CPU": 1, **({"GPU": gpus} if gpus else {})},
            ),
            run_config=ray.train.RunConfig(
                name=layout.ray.name,
                storage_path=str(layout.folder.resolve()),
                failure_config=ray.train.FailureConfig(max_failures=MOST_DEATHS),
                callbacks=[_Deaths(news)],
            ),
        )
        _follow(trainer, news, request.out, reporter)


def _follow(trainer: TensorflowTrainer, news: Queue, out: Path, reporter: Reporter) -> None:
    """Wait for the end in this thread, which Ctrl-C reaches, and pass on what workers report."""
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
            kind, *facts = news.get(timeout=1)
        except Empty:
            if ended:
                break
            continue
        match kind:
            case "error":
                raise facts[0]
            case "step":
                reporter.step(*facts)
            case "validation":
                reporter.validation(*facts)
            case _:
                reporter.say(*facts)
    if failed:
        raise TrainingError(f"{out}: the workers died too often, the last time of: {_gist(failed[0])}")


class _Sender(Reporter):
    """Sends what the chief worker reports to the driver, but not every step."""

    def __init__(self, news: Queue, steps: int) -> None:
        self._news, self._steps, self._sent_at = news, steps, 0.0

    def step(self, step: int, values: dict[str, float]) -> None:
        if step == self._steps or time.monotonic() > self._sent_at + NEWS_SECONDS:
            self._sent_at = time.monotonic()
            self._news.put(("step", step, values))

    def validation(self, step: int, figures: dict[str, float]) -> None:
        self._news.put(("validation", step, figures))

    def say(self, sentence: str) -> None:
        self._news.put(("say", sentence))


class _Deaths(ray.train.UserCallback):
    """Says why all workers are started again."""

    def __init__(self, news: Queue) -> None:
        self._news = news

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        del run_context
        for rank, error in sorted(worker_exceptions.items()):
            self._news.put(("say", f"worker {rank} died ({type(error).__name__}: {_gist(error)})"))
        self._news.put(("say", "all workers start again from the last checkpoint"))


def _gist(error: BaseException) -> str:
    """The last line that says something: what comes before are traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def _worker(config: dict[str, Any]) -> None:
    """One worker's part; a mistake of the user's is sent to the driver, who then ends all workers."""
    request, folder, news = config["request"], config["folder"], config["news"]
    if folder.is_dir():
        os.chdir(folder)
    chief = ray.train.get_context().get_world_rank() == 0
    try:
        start.as_one_of_several(request, _Sender(news, request.recipe.steps) if chief else Reporter())
    except SrezError as error:
        news.put(("error", error))
        raise
