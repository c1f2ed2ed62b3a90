"""What became of a plan, for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any

from srez.errors import SrezError
from srez.upscaling.convert import Converted
from srez.upscaling.plan import Item, Plan
from srez.wording import counted

_FEW = 20  # results that are listed one by one


@dataclass
class Outcome:
    """What became of a plan.

    Attributes:
        plan: what was to be done.
        done: what is finished, or would be after a rehearsal.
        failures: what went wrong, by the input's name; those of the plan too.
        rehearsed: whether nothing was written.
        stopped: whether the user stopped it.
    """

    plan: Plan
    done: list[tuple[Item, Converted]] = field(default_factory=list)
    failures: dict[str, SrezError] = field(default_factory=dict)
    rehearsed: bool = False
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """130 if it was stopped, 1 if something failed, else 0."""
        return 130 if self.stopped else 1 if self.failures else 0

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON has it; a rehearsal has "planned" instead of "done"."""
        return {
            "planned" if self.rehearsed else "done": [
                {
                    **_as_json(item),
                    "width": result.size[0],
                    "height": result.size[1],
                    "frames": result.frames,
                    "resized": result.resized,
                    **(asdict(result.settings) if result.settings else {}),
                    "faces": [each.as_json() for each in result.faces],
                    "warnings": list(result.warnings),
                    "beside": [str(path) for path in result.beside],
                }
                for item, result in self.done
            ],
            "skipped": [_as_json(item) for item in self.plan.skipped],
            "earlier_results": [str(path) for path in self.plan.earlier_results],
            "other_files": [str(path) for path in self.plan.other_files],
            "failed": [{"source": name, "error": str(error)} for name, error in self.failures.items()],
            "stopped": self.stopped,
        }

    def __str__(self) -> str:
        """A line for each result, if they are few or rehearsed, and counts, if there is more to say."""
        listed = self.done if self.rehearsed else self.done[:_FEW]
        lines = [_line(item, result) for item, result in listed]
        if len(self.done) > len(listed):
            lines.append(f"and {len(self.done) - len(listed)} more")
        if len(self.done) + len(self.failures) != 1 or self.plan.skipped:
            lines.append(self._counts())
        if earlier := self.plan.earlier_results:
            one = len(earlier) == 1
            what = f"{earlier[0]} is a result" if one else f"{len(earlier)} files are results"
            it = "it" if one else "them"
            lines.append(f"{what} of an earlier run and left out: --again upscales {it} too")
        if others := len(self.plan.other_files):
            lines.append(f"{counted(others, 'file')} of another kind left out")
        return "\n".join(lines)

    @property
    def warnings(self) -> list[str]:
        """A line for each picture whose result lacks something that the input says beside its pixels."""
        return [
            f"{item.source}: not kept in {item.target}: {'; '.join(result.warnings)}"
            for item, result in self.done
            if result.warnings
        ]

    def _counts(self) -> str:
        counts = [f"{len(self.done)} {'to upscale' if self.rehearsed else 'upscaled'}"]
        if self.plan.skipped:
            counts.append(f"{len(self.plan.skipped)} skipped")
        return ", ".join([*counts, f"{len(self.failures)} failed"])


def _line(item: Item, result: Converted) -> str:
    parts = [str(result.settings)] if result.settings else []
    if result.faces:
        parts.append(
            f"{sum(not each.left for each in result.faces)} of {counted(len(result.faces), 'face')} enlarged"
        )
    if result.resized:
        parts.append(f"resized by {result.resized}")
    made_with = f" ({', '.join(parts)})" if parts else ""
    count = f", {result.frames} frames" if result.frames > 1 else ""
    return f"{item.target}: {result.size[0]}x{result.size[1]}{count}{made_with}{_beside(result)}"


def _beside(result: Converted) -> str:
    """Of several files, the first and the last."""
    names = [path.name for path in result.beside]
    return f", beside it {' to '.join(names[:1] + names[1:][-1:])}" if names else ""


def _as_json(item: Item) -> dict[str, str]:
    return {"source": str(item.source), "target": str(item.target)}
