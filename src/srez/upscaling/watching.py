"""Upscale what is in a folder, and what arrives there."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from srez import images, output
from srez.errors import OptionError, OutputError, SrezError
from srez.upscaling import batch
from srez.upscaling.arrivals import Look, arrivals
from srez.upscaling.convert import Options
from srez.upscaling.destination import refuse_missing_folder, refuse_special
from srez.upscaling.loading import Choose
from srez.upscaling.outcome import Outcome
from srez.upscaling.plan import Item, Plan, Rules, clash_error, item_in_folder, result_suffix
from srez.upscaling.sources import Source, probe, real
from srez.upscaling.stopping import stoppable


@dataclass
class _Memory:
    """What a watch knows of the pictures so far.

    Attributes:
        taken: pictures by their results.
        seen: what pictures were like when they were done; None if they could not be.
    """

    taken: dict[Path, Path] = field(default_factory=dict)
    seen: dict[Path, Look | None] = field(default_factory=dict)


@dataclass
class Watch:
    """What became of the pictures so far.

    Attributes:
        done: how many were upscaled.
        failed: how many could not be.
    """

    done: int = 0
    failed: int = 0


def watch(
    folder: Path,
    rules: Rules,
    choose: Choose,
    options: Options,
    scale: int,
    finished: Callable[[Outcome], None],
) -> Watch:
    """Upscale the pictures in a folder and those that arrive, until Ctrl-C; one that fails stops nothing.

    A picture whose result is there and not older is left alone, so a watch can be ended and begun again. One
    that comes again is left alone if size and time are the same, for what takes its place may be older than
    its result. Results of srez are left alone, wherever they lie.

    Args:
        folder: to watch.
        rules: `out` is the folder of results, which is made if need be; `existing` is ignored.
        choose: gives the upscaler for a picture.
        options: how.
        scale: the model's.
        finished: called with the outcome of each picture.

    Raises:
        ImageError: the folder cannot be read, or is gone.
        OptionError: both folders are the same, or `folder` is none.
        OutputError: the folder of results cannot be made.
    """
    out = rules.out or folder
    refuse_missing_folder(out)
    refuse_special(out, "choose a folder for the results")
    if not probe(folder.is_dir):
        raise OptionError(f"{folder} is not a folder: srez watch takes two, IN and OUT")
    if real(out) == real(folder):
        raise OptionError(f"{out} is the folder that is watched: choose another for the results")
    output.make_folder(out)
    folder, out = real(folder), real(out)
    rules = replace(rules, out=out, suffix=result_suffix(rules, options.size, scale))
    watched, memory = Watch(), _Memory()
    try:
        with stoppable():
            for path, look in arrivals(folder, out, rules.recursive):
                plan = _plan(path, look, folder, rules, memory)
                if not (plan.items or plan.failures):
                    memory.seen[path] = look
                    continue
                outcome = batch.run(choose, plan, options, lambda _done, _all: None, lambda _error: None)
                finished(outcome)
                if outcome.stopped:
                    break
                memory.seen[path] = None if outcome.failures else look
                watched.done += len(outcome.done)
                watched.failed += len(outcome.failures)
    except KeyboardInterrupt:
        pass
    return watched


def _plan(path: Path, look: Look, folder: Path, rules: Rules, memory: _Memory) -> Plan:
    """What is to be done with a picture: nothing, if it is a result or its result is there."""
    plan = Plan()
    try:
        item = item_in_folder(Source(path, path.parent.relative_to(folder)), rules)
        if images.is_our_result(path) or _is_done(item, look, memory):
            return plan
        if memory.taken.setdefault(item.target, path) != path:
            raise clash_error(str(memory.taken[item.target]), str(path), str(item.target))
        if probe(item.target.exists) and not images.is_our_result(item.target):
            raise OutputError(f"{item.target} exists and was not made by srez: move it away")
    except SrezError as error:
        plan.failures[str(path)] = error
    else:
        plan.items.append(replace(item, overwrite=True))
    return plan


def _is_done(item: Item, look: Look, memory: _Memory) -> bool:
    """Whether the result of a picture is there: it is as it was seen, or its result is not older."""
    try:
        result = item.target.stat()
    except OSError:
        return False
    if item.source in memory.seen:
        return look == memory.seen[item.source]
    return result.st_mtime_ns >= look.changed
