"""The page that upscales in the browser, built from the sources in `web/` by Node."""

import gzip
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from srez import output
from srez.errors import MissingToolError, OutputError
from srez.models import blending, box, winograd
from srez.models.card import Card, weight_files

MODEL = "photo"  # that the page runs
CORNERS = ("faithful", "vivid", "repair", "vivid_repair")  # of its weights, which the page mixes
SERVICE_WORKER = "sw.js"  # by which a page that was built is known

_ROOM = Path(__file__).parent
_SOURCES = next(folder for folder in (_ROOM / "web", _ROOM.parents[1] / "web") if folder.is_dir())
_MADE = ("dist", "packed", "tests", "benchmark", "node_modules")  # not needed to build
_LINES = 20  # of what Node said that an error repeats


def build(target: Path) -> None:
    """Build the page: a folder of files for any web server, with the model in it.

    Args:
        target: the folder to make; a page that was built there before is replaced.

    Raises:
        MissingToolError: there is no npm.
        OutputError: the folder is something else, or cannot be written; or the build failed.
    """
    npm = shutil.which("npm")
    if not npm:
        raise MissingToolError(
            "building the page needs npm, which comes with Node 20.19 or later: install Node"
        )
    if target.exists() and not (target / SERVICE_WORKER).is_file():
        raise OutputError(f"{target} is not a page that was built before: choose a new folder")
    output.make_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix="srez-web-") as temporary:
        sources = Path(temporary, "web")
        shutil.copytree(_SOURCES, sources, ignore=lambda folder, names: _left_out(Path(folder), names))
        if (_SOURCES / "node_modules").is_dir():  # of a clone in which the page is worked on
            (sources / "node_modules").symlink_to(_SOURCES / "node_modules")
        else:
            _run([npm, "ci", "--omit=dev", "--no-audit", "--no-fund"], sources)
        pack(sources / "packed")
        _run([npm, "run", "build"], sources)
        _replace(sources / "dist", target)


def pack(folder: Path) -> None:
    """Write what the page needs of the model: its card as JSON, and each set of weights in gzip.

    The network multiplies less than the command's, since WebAssembly multiplies slowly.

    Args:
        folder: to make.

    Raises:
        ModelError: the model is damaged.
    """
    path = box.find(MODEL)
    card = box.card(path)
    folder.mkdir()
    files = {"faithful": path, **weight_files(path, card)}
    for corner in CORNERS:
        network = winograd.quicker(files[corner].read_bytes())
        (folder / f"{corner}.onnx.gz").write_bytes(gzip.compress(network, mtime=0))
    described = _described(winograd.quicker(path.read_bytes()), card)
    (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")


def _described(network: bytes, card: Card) -> dict[str, object]:
    keys = ("name", "scale", "minimum_size", "receptive_radius", "fidelity", "licence", "limits")
    places = [(place.start, place.stop) for place in blending.places(network)]
    return {**{key: getattr(card, key) for key in keys}, "places": places}


def _left_out(folder: Path, names: list[str]) -> list[str]:
    return [name for name in names if folder == _SOURCES and name in _MADE]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_LINES:])
        raise OutputError(f"`{' '.join(['npm', *command[1:]])}` failed:\n{said}")


def _replace(built: Path, target: Path) -> None:
    """Put a finished page where it belongs; until then, an earlier one stays."""
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        shutil.copytree(built, fresh, dirs_exist_ok=True)
        fresh.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from None
