"""Write docs/faces.md and its curves from the stored results.

    python benchmarks/faces_page.py

The results are in benchmarks/results/: CelebA-validation.json, written by `srez evaluate --json`, and faces/,
from benchmarks/faces_curves.py, faces_groups.py and damaged.py. The text is in benchmarks/faces_page.md; no
figure on the page is typed by hand.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from page import FIGURES, short, table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results"
PAGE, TEXT = ROOT / "docs/faces.md", ROOT / "benchmarks/faces_page.md"
CURVES = ROOT / "docs/images/faces-curves.svg"
FACE = 16 * 16  # input pixels
TITLES = [title for title, _ in FIGURES.values()]
LINES = {"faces": "faces, L1", "faces_vivid": "faces, then adversarial", "srez": "srez's recipe"}
AT = (1000, 5000, 10_000, 20_000)  # steps of the first run that the page names

Point = dict[str, Any]
Curves = dict[str, Any]


def render() -> str:
    """The page."""
    evaluation = json.loads((RESULTS / "CelebA-validation.json").read_text())
    curves = json.loads((RESULTS / "faces/curves.json").read_text())
    groups = json.loads((RESULTS / "faces/groups.json").read_text())
    damaged = json.loads((RESULTS / "faces/damaged.json").read_text())["rows"]
    return TEXT.read_text().format(
        comparison=comparison(evaluation),
        same_time=same_time(curves),
        same_steps=same_steps(curves),
        points=points(curves),
        groups=by_group(groups),
        damaged=by_damage(damaged),
        steps=curves["srez"]["steps"],
    )


def comparison(evaluation: dict[str, Any]) -> str:
    rows = []
    for method in evaluation["methods"]:
        figures = [f"{method['mean'][name]:.{digits}f}" for name, (_, digits) in FIGURES.items()]
        arithmetic = method["multiply_adds"] * FACE / 1e6
        size = [f"{method['parameters']:,}", f"{arithmetic:,.0f}" if arithmetic >= 1 else f"{arithmetic:.2g}"]
        rows.append(
            [
                LINES.get(short(method["name"]), method["name"]),
                *figures,
                *size,
                f"{method['images_per_second']:,.0f}",
            ]
        )
    return table(["", *TITLES, "parameters", "million multiply-adds a face", "faces a second"], rows)


def same_time(curves: Curves) -> str:
    first, second, original = (curves[name] for name in LINES)
    together = first["minutes"] + second["minutes"]
    return (
        f"{first['steps']:,} and {second['steps']:,} steps took {together:.0f} minutes, "
        f"srez's {original['steps']:,} steps {original['minutes']:.0f}"
    )


def same_steps(curves: Curves) -> str:
    """The last step that both were measured at."""
    ours = {point["step"]: point for point in curves["faces"]["points"]}
    theirs = {point["step"]: point for point in curves["srez"]["points"]}
    step = max(ours.keys() & theirs.keys())
    rows = [
        [LINES[name], f"{step:,}", *shown(run[step]), f"{run[step]['minutes']:.0f}"]
        for name, run in (("srez", theirs), ("faces", ours))
    ]
    return table(["", "steps", *TITLES[:3], "minutes"], rows)


def points(curves: Curves) -> str:
    run = curves["faces"]["points"]
    rows = [[f"{point['step']:,}", *shown(point)] for point in run if point["step"] in AT or point is run[-1]]
    return table(["steps", *TITLES[:3]], rows)


def shown(point: Point) -> list[str]:
    return [f"{point[name]:.{digits}f}" for name, (_, digits) in FIGURES.items() if name in point]


def by_group(groups: list[dict[str, Any]]) -> str:
    rows = []
    for group in groups:
        bicubic, faithful, vivid = group["mean"].values()
        rows.append(
            [
                f"{group['measure']}, {group['group']}",
                str(group["faces"]),
                *(f"{mean['psnr']:.2f}" for mean in (bicubic, faithful)),
                f"+{faithful['psnr'] - bicubic['psnr']:.2f}",
                *(f"{mean['st_lpips']:.3f}" for mean in (bicubic, vivid)),
                *(f"{mean['identity']:.3f}" for mean in (bicubic, vivid)),
            ]
        )
    columns = ["", "faces", "PSNR, bicubic", "fidelity 1", "gain", "ST-LPIPS, bicubic", "fidelity 0"]
    return table([*columns, "identity, bicubic", "fidelity 0"], rows)


def by_damage(rows: list[dict[str, str]]) -> str:
    """Inputs as rows, methods as columns."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    cells: dict[str, list[str]] = {}
    for row in rows:
        cells.setdefault(row["input"], []).append(f"{float(row['PSNR']):.2f} / {float(row['SSIM']):.4f}")
    return table(["input", *methods], [[name, *values] for name, values in cells.items()])


def draw() -> None:
    """The curves: PSNR and SSIM of the validation faces against minutes of training."""
    curves = json.loads((RESULTS / "faces/curves.json").read_text())
    nearest, bicubic = json.loads((RESULTS / "CelebA-validation.json").read_text())["methods"][:2]
    start = curves["faces"]["minutes"]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name, label in zip(figure.subplots(1, 2), ("psnr", "ssim"), ("PSNR, dB", "SSIM"), strict=True):
        for run, line in LINES.items():
            shift = start if run == "faces_vivid" else 0
            minutes = [point["minutes"] + shift for point in curves[run]["points"]]
            axes.plot(minutes, [point[name] for point in curves[run]["points"]], label=line)
        axes.axhline(bicubic["mean"][name], color="grey", linestyle="--", label="bicubic")
        axes.axhline(nearest["mean"][name], color="grey", linestyle=":", label="nearest")
        axes.set(xlabel="minutes of one core", ylabel=label)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    lines, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    with mpl.rc_context({"svg.hashsalt": "srez"}):  # the same results give the same file
        figure.savefig(CURVES, metadata={"Date": None})


if __name__ == "__main__":
    PAGE.write_text(render())
    draw()
