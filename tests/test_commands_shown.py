"""Every command of the guides is run as it stands, or its page says that it is not, and why.

Pictures and data under the names that the guides use are drawn, and small. A training does one step.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from helpers import documented, serving
from helpers.documented import ROOT, Block
from helpers.drawn_faces import drawn_face, write_faces, write_partition
from srez.images import parts
from srez.models import box

PAGES = sorted({block.page for block in documented.shown()})

# The server runs already, on a port of its own; `srez serve` in a guide would never end.
SHELL = r"""
set -euo pipefail
srez() {
  case "$1" in
    serve) ;;
    watch) timeout --signal INT 10 "$(type -P srez)" "$@" || [ $? = 124 ] ;;  # else it would never end
    train)
      if [[ "$*" =~ --out\ ([^ ]+) ]]; then rm -rf "${BASH_REMATCH[1]}"; fi  # what the shelf has there
      command srez "$@" --steps 1 ;;
    *) command srez "$@" ;;
  esac
}
curl() { command curl --fail --silent --show-error "${@//127.0.0.1:8000/$SERVER}"; }
set -x
"""


def fill(shelf: Path) -> None:
    """Put what the guides' commands read into a folder."""
    photographs = [
        "photo.jpg",
        "incoming/new.jpg",
        "old-photograph.jpg",
        "old.jpg",
        "small.png",
        "facade.png",
    ]
    photographs += [f"photos/{number}.{kind}" for number, kind in enumerate(("jpg", "png", "png"))]
    for seed, name in enumerate(photographs):
        save(shelf / name, seed, (72, 48))
    for seed in range(6):
        save(shelf / f"portraits/{seed}.jpg", seed, (144, 144))
        save(shelf / f"kept/{seed}.jpg", seed, (192, 192))
        save(shelf / f"Set5/img_{seed}_SRF_4_HR.png", seed, (64, 64))
        save(shelf / f"Set5/img_{seed}_SRF_4_LR.png", seed, (16, 16))
        save(shelf / f"results-of-another-program/img_{seed}.png", seed, (64, 64))
    save(shelf / "face.png", 1, (16, 16))
    three = np.tile(parts.resized(data.astronaut(), 80, 80), (1, 3, 1))
    Image.fromarray(three).save(shelf / "family.jpg", quality=90)
    for name in ("moving.gif", "scanned.tif"):
        first, second = (drawn_face(seed, (48, 48)) for seed in (1, 2))
        first.save(shelf / name, save_all=True, append_images=[second])
    for name in ("img_align_celeba", "lfw_aligned", "faces", "mine"):
        write_faces(shelf / f"{name}.zip", 24)
    write_partition(shelf / "list_eval_partition.txt", {number: int(number > 18) for number in range(1, 25)})
    shutil.make_archive(str(shelf / "photos"), "zip", shelf / "kept")
    for name in ("4x-fur.onnx", "mine.onnx"):
        shutil.copy(box.find("faces"), shelf / name)
    (shelf / "examples").symlink_to(ROOT / "examples")
    if shutil.which("ffmpeg"):
        source = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=25", "-frames:v", "2"]
        subprocess.run(["ffmpeg", "-v", "error", *source, str(shelf / "clip.mp4")], check=True)


def save(path: Path, seed: int, size: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn_face(seed, size).save(path)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands read, with the run of a training for those that come after one."""
    folder = tmp_path_factory.mktemp("shelf")
    fill(folder)
    command = [sys.executable, "-m", "srez", "train", "smoke", "--steps", "1"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for name in ("faces", "portraits", "srez", "srresnet"):
        shutil.copytree(folder / "runs/smoke", folder / "runs" / name)
    shutil.rmtree(folder / "runs/smoke")
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    with serving.serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.docs
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(page: str, shelf: Path, server: serving.Server, tmp_path: Path) -> None:
    if page == "docs/video.md" and not shutil.which("ffmpeg"):
        pytest.skip("there is no ffmpeg: apt-get install ffmpeg")
    folder = tmp_path / "here"
    shutil.copytree(shelf, folder, symlinks=True)
    failures = []
    for block in (block for block in documented.shown() if block.page == page and block.run):
        failure = (
            run_python(block, folder) if block.language == "python" else run_shell(block, folder, server)
        )
        if failure:
            failures.append(f"{page}:{block.line}\n{failure}")
    assert not failures, "\n\n".join(failures)


def run_python(block: Block, folder: Path) -> str:
    """What it says if it fails; it finds a picture as `image`, and two as `faces`."""
    with Image.open(folder / "photo.jpg") as image, contextlib.chdir(folder):
        exec(block.text, {"image": image, "faces": np.zeros((2, 16, 16, 3), np.uint8)})
    return ""


def run_shell(block: Block, folder: Path, server: serving.Server) -> str:
    """What it says if it fails."""
    (folder / "photo_x4.jpg").unlink(missing_ok=True)  # most blocks begin with it
    text = "".join(block.run)
    for name in ("/v1/jobs/ID", "/v1/jobs/3f1c..."):
        if name in text:
            text = text.replace(name, f"/v1/jobs/{finished(server, folder / 'photo.jpg')}")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SERVER": f"127.0.0.1:{server.port}",
        "SREZ_MODELS": str(folder / "models"),
    }
    done = subprocess.run(
        ["bash", "-c", SHELL + text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode or "absl::" in done.stderr:  # TensorFlow's news is for its log
        return f"exit code {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return ""


def finished(server: serving.Server, picture: Path) -> str:
    """A job whose result can be fetched."""
    job = server.http.post("/v1/jobs", files={"file": picture.read_bytes()}).json()["id"]
    server.job(f"/v1/jobs/{job}", "done")
    return job
