"""Training by several processes: Ray starts them, and restarts them when one dies."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray.train
from ray.train.tensorflow import TensorflowTrainer
from ray.util.queue import Empty, Queue

from srez.cluster.connection import connected
from srez.errors import SrezError, TrainingError
from srez.runs.layout import RunLayout
from srez.train import start
from srez.train.reporter import Figures, Reporter
from srez.train.start import Request

MAX_RESTARTS = 10  # of all workers together; preempted machines do not count
STEP_SECONDS = 0.2  # between the steps that are reported to the driver


@dataclass(frozen=True)
class Workers:
    """The processes that train together.

    Attributes:
        count: how many.
        gpus: of each.
        ray_address: where they run; see `connected`.
    """

    count: int
    gpus: int
    ray_address: str


def train(request: Request, directory: Path, workers: Workers, reporter: Reporter) -> None:
    """Train with several processes until the recipe's last step, and export the model.

    If one dies, all restart from the last checkpoint. Ctrl-C ends them; the last checkpoint stays.

    Args:
        request: what to train; its batch is that of all workers together. Paths are the same on all machines,
            and the run folder is on a disk that they share.
        directory: what relative paths are relative to.
        workers: who trains.
        reporter: receives some of the steps, every validation, and which workers died.

    Raises:
        SrezError: what any worker raises, as a training in one process would.
        TrainingError: workers died too often.
    """
    with connected(workers.ray_address, workers.count):
        messages = Queue(actor_options={"num_cpus": 0})
        layout = RunLayout(directory / request.out)
        resources = {"CPU": 1, **({"GPU": workers.gpus} if workers.gpus else {})}
        trainer = TensorflowTrainer(
            _train_as_worker,
            train_loop_config={"request": request, "directory": directory, "messages": messages},
            scaling_config=ray.train.ScalingConfig(
                num_workers=workers.count, use_gpu=workers.gpus > 0, resources_per_worker=resources
            ),
            run_config=ray.train.RunConfig(
                name=layout.ray.name,
                storage_path=str(layout.folder.resolve()),
                failure_config=ray.train.FailureConfig(max_failures=MAX_RESTARTS),
                callbacks=[_RestartMessages(messages)],
            ),
        )
        _follow(trainer, messages, request.out, reporter)


def _train_as_worker(config: dict[str, Any]) -> None:
    """What each worker runs. A user's mistake goes to the driver, which then ends all workers."""
    request, directory, messages = config["request"], config["directory"], config["messages"]
    if directory.is_dir():
        os.chdir(directory)
    is_chief = ray.train.get_context().get_world_rank() == 0
    reporter = _MessageReporter(messages, request.recipe.steps) if is_chief else Reporter()
    try:
        start.as_one_of_several(request, reporter)
    except SrezError as error:
        messages.put(("error", error))
        raise


def _follow(trainer: TensorflowTrainer, messages: Queue, out: Path, reporter: Reporter) -> None:
    """Run the trainer in a thread and pass messages on in this one, which Ctrl-C reaches."""
    failures: list[BaseException] = []

    def fit() -> None:
        try:
            trainer.fit()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=fit, daemon=True)
    thread.start()
    while True:
        ended = not thread.is_alive()  # before the queue is found empty: the last messages count too
        try:
            kind, *content = messages.get(timeout=1)
        except Empty:
            if ended:
                break
            continue
        match kind:
            case "error":
                raise content[0]
            case "step":
                reporter.step(*content)
            case "validation":
                reporter.validation(*content)
            case "end":
                reporter.warn_at_end(*content)
            case "say":
                reporter.say(*content)
    if failures:
        raise TrainingError(f"{out}: workers died too often; the last error: {_last_line(failures[0])}")


class _MessageReporter(Reporter):
    """Sends what the chief worker reports to the driver, but not every step."""

    def __init__(self, messages: Queue, steps: int) -> None:
        self._messages, self._steps, self._sent_at = messages, steps, 0.0

    def step(self, step: int, values: dict[str, float]) -> None:
        if step == self._steps or time.monotonic() > self._sent_at + STEP_SECONDS:
            self._sent_at = time.monotonic()
            self._messages.put(("step", step, values))

    def validation(self, step: int, figures: Figures, beside: dict[str, Figures]) -> None:
        self._messages.put(("validation", step, figures, beside))

    def warn_at_end(self, sentence: str) -> None:
        self._messages.put(("end", sentence))

    def say(self, sentence: str) -> None:
        self._messages.put(("say", sentence))


class _RestartMessages(ray.train.UserCallback):
    """Tells the driver why all workers restart."""

    def __init__(self, messages: Queue) -> None:
        self._messages = messages

    def after_exception(self, run_context: object, worker_exceptions: dict[int, Exception]) -> None:
        del run_context
        for rank, error in sorted(worker_exceptions.items()):
            self._messages.put(("say", f"worker {rank} died ({type(error).__name__}: {_last_line(error)})"))
        self._messages.put(("say", "all workers restart from the last checkpoint"))


def _last_line(error: BaseException) -> str:
    """The line of an error's text that says what happened; those before are stack traces."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
