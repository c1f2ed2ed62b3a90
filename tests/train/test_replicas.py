"""One training on several devices of one process, and in several processes."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.waiting import PATIENCE
from srez.errors import OptionError
from srez.train import recipes
from srez.train.replicas import Replicas
from srez.train.replicas_tensorflow import Several

STEPS = 6
# An L1 loss has a gradient that jumps where output and truth are equal: rounding decides to which side.
TOLERANCES = {"generator_gradient": 1e-2}
GAN = (
    "steps=6", "batch=8", "every.log=1", "every.validate=3", "data.drawn=40", "generator.channels=8",
    "generator.blocks=1", "discriminator={network='critic', units=[4, 8], conditional=true, updates=2}",
    "loss.adversarial=0.01", "loss.gradient_penalty=10", "optimizer.clip_norm=0.05", "optimizer.accumulate=2",
)  # fmt: skip
NORMALISED = (
    "steps=6", "batch=8", "every.log=1", "every.validate=3", "data.drawn=40", "generator.units=[8, 4]",
    "generator.tail=6", "discriminator.units=[4, 8]",
)  # fmt: skip

TRAIN = """
import hashlib, sys
from pathlib import Path
from srez.train import replicas_tensorflow
from srez.train.replicas import Replicas
shared = {shared}
from srez.train import data, recipes, trainer
chosen = recipes.load({name!r}, {changes!r})
prepared = trainer.prepare(chosen, replicas=shared)
result = trainer.train(prepared, data.draw(chosen.data), Path({out!r}))
print(hashlib.sha256(b"".join(w.tobytes() for w in result.average.get_weights())).hexdigest())
"""


def start(
    shared: str, name: str, changes: tuple[str, ...], out: Path, **environment: str
) -> subprocess.Popen:
    code = TRAIN.format(shared=shared, name=name, changes=changes, out=str(out))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen) -> str:
    stdout, stderr = process.communicate(timeout=3 * PATIENCE)
    assert process.returncode == 0, stderr
    return stdout.split()[-1]


def losses(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "learning_rate" in line]


@pytest.mark.cluster
def test_a_gan_on_two_devices_is_a_gan_on_one(tmp_path: Path) -> None:
    """With a penalty at random interpolates, clipped gradients and batches in parts: all means are global."""
    runs = {"one": "Replicas()", "two": "replicas_tensorflow.on_this_machine(2)"}
    for process in [start(shared, "smoke", GAN, tmp_path / name) for name, shared in runs.items()]:
        finish(process)
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == len(two) == STEPS
    for mine, yours in zip(one, two, strict=True):
        assert mine.keys() == yours.keys() > {"penalty", "adversarial", "l1", "discriminator"}
        for name in mine.keys() - {"seconds"}:
            assert mine[name] == pytest.approx(yours[name], rel=TOLERANCES.get(name, 1e-3)), name


@pytest.mark.cluster
def test_batch_norm_has_the_same_averages_in_all_processes(tmp_path: Path) -> None:
    with ExitStack() as held:
        # The ports stay ours until the end, so that nobody else is given one meanwhile.
        free = [held.enter_context(socket.socket()) for _ in range(2)]
        for each in free:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(("127.0.0.1", 0))
        cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in free]}
        processes = [
            start(
                "replicas_tensorflow.across_processes()",
                "srez",
                NORMALISED,
                tmp_path / "run",
                TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}),
                TF_GRPC_REUSE_PORT="true",
            )
            for index in range(2)
        ]
        weights = [finish(process) for process in processes]
    assert weights[0] == weights[1]
    assert len(losses(tmp_path / "run")) == STEPS


class TwoReplicas:
    """What `Several` asks of a strategy."""

    num_replicas_in_sync = 2
    cluster_resolver = None

    class extended:  # noqa: N801
        worker_devices = ("CPU:0", "CPU:1")


def test_what_cannot_be_shared_is_refused() -> None:
    two = Several(TwoReplicas())
    for change, averages, sentence in (
        ("batch=15", [], "2 devices cannot share batches of 15"),
        ("xla=true", [], "XLA does not support several devices"),
        ("batch=16", ["an average"], "--devices does not support batch norm"),
    ):
        with pytest.raises(OptionError, match=sentence):
            two.require_distributable(recipes.load("smoke", [change]), averages)
    two.require_distributable(recipes.load("smoke"), [])
    Replicas().require_distributable(recipes.load("smoke", ["batch=15", "xla=true"]), ["an average"])
