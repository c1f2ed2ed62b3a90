"""Upscales millions of files with Ray: a plan, a pool of workers, and a manifest of the outcome of each."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from srez.cluster.connection import connected
from srez.cluster.upscaling import manifest, workers
from srez.cluster.upscaling.batch import Batch, ModelChoice
from srez.cluster.upscaling.manifest import DONE, FAILED, RESULT, Manifest
from srez.cluster.upscaling.planning import find_pictures, plan
from srez.cluster.upscaling.store import Store
from srez.errors import OptionError

__all__ = ["Batch", "BatchResult", "ModelChoice", "upscale"]


@dataclass(frozen=True)
class BatchResult:
    """What became of the source's pictures.

    Attributes:
        manifest: the URL of the manifest, which has a row for each.
        done: how many were upscaled by this run.
        kept: how many needed nothing: finished or refused by an earlier run and unchanged since, or with a
            file in the result's place that --skip left alone.
        earlier_results: how many were left out because srez made them.
        others: how many files of the source are not pictures; hidden ones are not counted.
        errors: why a picture has no result, by its path below the source; earlier refusals included.
        stopped: whether the user stopped the run.
    """

    manifest: str
    done: int
    kept: int
    earlier_results: int
    others: int
    errors: dict[str, str]
    stopped: bool

    @property
    def exit_code(self) -> int:
        """130 if it was stopped, 1 if a picture has no result, else 0."""
        return 130 if self.stopped else 1 if self.errors else 0

    def __str__(self) -> str:
        """Counts in one line, and what was left out in further ones."""
        counts = f"{self.done:,} upscaled, {self.kept:,} as they were, {len(self.errors):,} without result"
        lines = [f"{counts}: see {self.manifest}"]
        if self.earlier_results:
            lines.append(f"{self.earlier_results:,} left out as results of srez: --again upscales them too")
        if self.others:
            lines.append(f"{self.others:,} left out as not pictures")
        return "\n".join(lines)


def upscale(
    batch: Batch, worker_count: int, ray_address: str, show_progress: Callable[[int, int], None]
) -> BatchResult:
    """Upscale every picture of a folder or bucket that has no result with these settings yet.

    Args:
        batch: what to upscale, and how.
        worker_count: how many workers, with one core each.
        ray_address: see `connected`.
        show_progress: called with the number of pictures finished and of all to do.

    Raises:
        OptionError: Ray or a URL cannot be reached.
        ImageError: the source holds no pictures, or a store cannot be listed.
        ModelError: there is no such model, or it is damaged.
        OutputError: the manifest cannot be read or written.
    """
    source, target = Store.at(batch.source), Store.at(batch.target)
    if source.same_as(target):
        raise OptionError(f"{batch.target} holds the inputs: choose another target")
    pictures, others = find_pictures(source, target, batch.rules, batch.settings_hash())
    record = Manifest(target)
    to_do, settled = plan(pictures, record.earlier, target, batch.rules)
    done, stopped = 0, False
    try:
        show_progress(0, len(to_do))
        if to_do:
            record.begin(to_do)
            with connected(ray_address, worker_count):
                for rows in workers.run(to_do, batch, worker_count):
                    record.add(rows)
                    done += rows["status"].to_pylist().count(DONE)
                    show_progress(record.added, len(to_do))
    except KeyboardInterrupt:
        stopped = True
    finally:
        all_rows = record.finish(settled)
    kept = sum(row.status not in (FAILED, RESULT) for row in settled)
    results = all_rows["status"].to_pylist().count(RESULT)
    return BatchResult(target.url_of(manifest.FILE), done, kept, results, others, _errors(all_rows), stopped)


def _errors(rows: pa.Table) -> dict[str, str]:
    pairs = zip(rows["source"].to_pylist(), rows["error"].to_pylist(), strict=True)
    return {name: error for name, error in pairs if error}
