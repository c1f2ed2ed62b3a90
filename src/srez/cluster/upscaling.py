"""Upscaling of millions of files: Ray Data, a pool of actors, and a manifest of what became of each."""

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import ray.data
from fsspec.implementations.local import LocalFileSystem

from srez import images, output
from srez.cluster import connected
from srez.errors import ImageError, MissingPackageError, OptionError, OutputError, SrezError, TooLargeError
from srez.models import box, card
from srez.upscaling import files
from srez.upscaling.upscaler import chooser

MANIFEST = "manifest.parquet"
PARTS = "manifest.parts"  # of a run under way, or one that was killed
PART_SECONDS = 20.0  # the work that a killed run does again, at most, beside what was in its actors' hands
BLOCK = 64  # pictures in one piece of work, at most
PIECES = 20  # of work for each actor, at least: the last ones to finish wait for one piece

OPEN, DONE, KEPT, REFUSED, FAILED = "open", "done", "kept", "refused", "failed"

SCHEMA = pa.schema(
    [
        ("source", pa.string()),  # below the source folder
        ("target", pa.string()),  # below the target folder
        # open: a run was stopped before it; done; kept: not ours, left by --skip; refused: because of what is
        # in the file, so tried again only when that changes; failed: for any other reason, so tried again
        ("status", pa.string()),
        ("settings", pa.string()),  # what the result depends on beside the input; null if it is not ours
        ("bytes", pa.int64()),  # of the input
        ("version", pa.string()),  # of the input: what its file system changes when the file changes
        ("sha256", pa.string()),  # of the input; null if it could not be read
        ("width", pa.int32()),  # of the result
        ("height", pa.int32()),
        ("error", pa.string()),
    ]
)
TODO = pa.schema([SCHEMA.field(name) for name in ("source", "target", "settings", "bytes", "version")])

Watcher = Callable[[int, int], None]


@dataclass(frozen=True)
class Model:
    """What every actor loads: the arguments of `chooser`."""

    name: str
    fidelity: float | None = None
    tile: int | None = None


@dataclass
class Report:
    """What has become of all pictures of the source.

    Attributes:
        done: how many were upscaled now.
        kept: how many were finished, or refused, in an earlier run and are unchanged since; or have a result
            that is not ours and was to be left.
        errors: why a picture has no result, by its name: those refused before too.
        stopped: whether the user stopped it.
    """

    done: int
    kept: int
    errors: dict[str, str]
    stopped: bool = False


def upscale(
    source: str,
    target: str,
    model: Model,
    wish: files.Wish,
    workers: int,
    address: str,
    watch: Watcher,
) -> Report:
    """Upscale every picture of a folder or bucket that has no result yet, by this model in this way.

    Args:
        source: any URL of fsspec: a folder, `s3://...`, `gs://...`.
        target: the same; results keep their names, and `manifest.parquet` lists all inputs.
        model: what to load.
        wish: the size, format and so on; `existing` is about results that the manifest does not know, but
            "overwrite" does everything again.
        workers: how many actors, with one core each.
        address: of Ray; see `connected`.
        watch: called with the number of pictures done and of all that are to do.

    Raises:
        OptionError: Ray or a URL that cannot be reached.
        ImageError: the source holds no pictures, or a place cannot be listed.
        ModelError: there is no such model, or it is damaged.
        OutputError: the manifest cannot be written.
    """
    place, aim = _Place.at(source), _Place.at(target)
    if (type(place.fs), place.root) == (type(aim.fs), aim.root):
        raise OptionError(f"{target} holds the inputs: take another folder")
    found, clashing = _find(place, aim, wish, _settings(model, wish))
    if not found:
        raise ImageError(f"{source} holds no pictures ({', '.join(images.READABLE)})")
    rows = _Rows(aim)
    todo, known = _plan(found, rows.before, aim, wish)
    known += clashing
    report = Report(0, sum(row["status"] != FAILED for row in known), {})
    try:
        watch(0, len(todo))
        if todo:
            rows.begin(todo)
            with connected(address, workers):
                for done in _run(todo, source, target, model, wish, workers):
                    rows.add(done)
                    report.done += sum(status == DONE for status in done["status"].to_pylist())
                    watch(rows.added, len(todo))
    except KeyboardInterrupt:
        report.stopped = True
    finally:
        whole = rows.close(known)
    errors = zip(whole["source"].to_pylist(), whole["error"].to_pylist(), strict=True)
    report.errors = {name: error for name, error in errors if error}
    return report


def _run(
    todo: list[dict[str, Any]], source: str, target: str, model: Model, wish: files.Wish, workers: int
) -> Iterator[pa.Table]:
    """Rows of the manifest, as actors finish them."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    piece = max(1, min(BLOCK, len(todo) // (workers * PIECES)))
    table = pa.Table.from_pylist(todo, schema=TODO)
    pieces = [table.slice(start, piece) for start in range(0, len(todo), piece)]
    # An actor that dies is started again and its piece is done again; results are whole or absent.
    results = ray.data.from_arrow(pieces).map_batches(
        _Worker,
        batch_size=None,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(pieces))),
        num_cpus=1,
        fn_constructor_args=(source, target, model, wish),
    )
    yield from results.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


class _Worker:
    """An actor: it loads the model once, and upscales pieces of work."""

    def __init__(self, source: str, target: str, model: Model, wish: files.Wish) -> None:
        self._place, self._aim, self._wish = _Place.at(source), _Place.at(target), wish
        self._choose = chooser(model.name, model.fidelity, model.tile)

    def __call__(self, todo: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([{**row, **self._one(row)} for row in todo.to_pylist()], schema=SCHEMA)

    def _one(self, row: dict[str, Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {"status": FAILED}
        name, target = self._place.name(row["source"]), self._aim.name(row["target"])
        try:
            data: Any = self._place.fs.cat_file(self._place.path(row["source"]))
            facts |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            kind = images.kind_of(Path(row["target"]))
            written = _written(self._aim, row["target"])
            size = files.convert(self._choose, data, name, written, target, kind, self._wish)
            return {**facts, "status": DONE, "width": size[0], "height": size[1]}
        except (TooLargeError, MissingPackageError) as error:
            return {**facts, "error": str(error)}  # --max-pixels or a package may let it in next time
        except ImageError as error:
            return {**facts, "status": REFUSED, "error": str(error)}
        except Exception as error:
            # Memory, the model, the disk, the network, a defect: not the file's fault, so worth another try.
            return {**facts, "error": _sentence(name, error)}


def _sentence(name: str, error: Exception) -> str:
    """What went wrong, with the name of the input."""
    text = str(error) if isinstance(error, SrezError) else f"{type(error).__name__}: {error}".rstrip(": ")
    return text if name in text else f"{name}: {text}"


@dataclass(frozen=True)
class _Place:
    """A folder in any file system."""

    url: str
    fs: fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> "_Place":
        try:
            fs, root = fsspec.url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            raise OptionError(f"{url} cannot be opened: {error}") from None
        return cls(url, fs, root.rstrip("/"))

    def path(self, relative: str) -> str:
        return f"{self.root}/{relative}" if self.root else relative

    def name(self, relative: str) -> str:
        return f"{self.url.rstrip('/')}/{relative}"

    def listing(self, recursive: bool) -> dict[str, dict[str, Any]]:
        """All files below it, by their path from here, with what the file system knows of them."""
        try:
            depth = None if recursive else 1
            found: Any = self.fs.find(self.root, maxdepth=depth, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:  # whatever a bucket or the network raises
            raise ImageError(f"{self.url} cannot be listed: {type(error).__name__}: {error}") from None
        skip = len(self.root) + 1 if self.root else 0
        return {path[skip:]: info for path, info in found.items()}


def _settings(model: Model, wish: files.Wish) -> str:
    """A short hash of all that a result depends on beside its input; tiles make no difference."""
    names = {box.suited(model.name, size) for size in (box.FACE, (0, 0))}  # "auto" may take either
    cards = [card.read(box.find(name)) for name in sorted(names)]
    weights = [[each.sha256, each.vivid and each.vivid.sha256] for each in cards]
    looks = [each.fidelity if model.fidelity is None else model.fidelity for each in cards if each.vivid]
    text = json.dumps([weights, looks, str(wish.size), wish.quality, wish.format])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _find(
    place: _Place, aim: _Place, wish: files.Wish, settings: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A row for every picture of the source, but none for earlier results below it.

    Those whose result would have the name of another's are apart, and failed.
    """
    rows, clashing, taken = [], [], {}
    inside = f"{aim.root}/" if type(place.fs) is type(aim.fs) else "\0"
    for path, info in sorted(place.listing(wish.recursive).items()):
        source = PurePosixPath(path)
        hidden = any(part.startswith(".") for part in source.parts)
        if hidden or not images.is_readable(path) or place.path(path).startswith(inside):
            continue
        target = str(source.parent / files.result_name(source, wish.suffix or "", wish.format))
        versions = (info.get(key) for key in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "CRC"))
        version = next((str(value) for value in versions if value is not None), "")
        now = {"source": path, "target": target, "bytes": info.get("size"), "version": version}
        if target in taken:
            error = files.clash(taken[target], path, target)
            clashing.append({**now, "settings": None, "status": FAILED, "error": str(error)})
        else:
            taken[target] = path
            rows.append({**now, "settings": settings})
    return rows, clashing


def _plan(
    found: list[dict[str, Any]], before: pa.Table, aim: _Place, wish: files.Wish
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is to do, and the rows that stand without doing anything."""
    if wish.existing == "overwrite":
        return found, []
    present = aim.listing(recursive=True)
    earlier = {row["source"]: row for row in before.to_pylist()}
    todo, known = [], []
    for now in found:
        row, there = earlier.get(now["source"]), now["target"] in present
        if row and _holds(row, now, there):
            known.append(row)
        elif there and not (row and row["settings"] and row["target"] == now["target"]):
            known.append(_not_ours(now, aim, wish))
        else:
            todo.append(now)
    return todo, known


def _holds(row: dict[str, Any], now: dict[str, Any], there: bool) -> bool:
    """Whether an earlier row still does: all is as it was, and the result is there or was refused."""
    same = all(row[key] == now[key] for key in TODO.names)
    return same and (row["status"] == REFUSED or (row["status"] == DONE and there))


def _not_ours(now: dict[str, Any], aim: _Place, wish: files.Wish) -> dict[str, Any]:
    """The row of a picture whose result is there, but was made by somebody else."""
    row = {**now, "settings": None}
    if wish.existing == "skip":
        return {**row, "status": KEPT}
    return {**row, "status": FAILED, "error": str(files.standing(aim.name(now["target"])))}


class _Rows:
    """The manifest: parts while a run is under way, one file at its end."""

    def __init__(self, aim: _Place) -> None:
        self._aim = aim
        self._begun: list[dict[str, Any]] = []
        self._pending: list[pa.Table] = []
        self._written_at = time.monotonic()
        self._new: list[pa.Table] = []
        self._parts = self._old_parts()
        self.added = 0
        earlier = [self._read(name) for name in [MANIFEST, *self._parts] if aim.fs.exists(aim.path(name))]
        self.before = pa.concat_tables([SCHEMA.empty_table(), *earlier])

    def begin(self, todo: list[dict[str, Any]]) -> None:
        """Note what is about to be made: if the run is killed, the next one knows its results by it."""
        self._begun = todo
        self._write_part(_opened(todo))

    def add(self, rows: pa.Table) -> None:
        """Take rows; now and then they are written, so that a killed run loses little."""
        rows = rows.select(SCHEMA.names).cast(SCHEMA)
        self._pending.append(rows)
        self._new.append(rows)
        self.added += len(rows)
        if time.monotonic() - self._written_at > PART_SECONDS:
            self._write_part(pa.concat_tables(self._pending))
            self._pending.clear()
            self._written_at = time.monotonic()

    def close(self, known: list[dict[str, Any]]) -> pa.Table:
        """Write the whole manifest, with the rows that stand anyway, and remove the parts."""
        made = {source for rows in self._new for source in rows["source"].to_pylist()}
        unmade = _opened([row for row in self._begun if row["source"] not in made])
        kept = pa.Table.from_pylist(known, schema=SCHEMA)
        whole = pa.concat_tables([kept, unmade, *self._new]).sort_by("source")
        if self._new or self._parts or not whole.equals(self.before):
            self._write(MANIFEST, whole)
        for name in self._parts:
            self._aim.fs.rm(self._aim.path(name))
        if self._parts and isinstance(self._aim.fs, LocalFileSystem):
            shutil.rmtree(self._aim.path(PARTS))
        return whole

    def _write_part(self, rows: pa.Table) -> None:
        name = f"{PARTS}/{time.time_ns()}.parquet"
        self._write(name, rows)
        self._parts.append(name)

    def _old_parts(self) -> list[str]:
        fs, folder = self._aim.fs, self._aim.path(PARTS)
        return (
            [f"{PARTS}/{PurePosixPath(path).name}" for path in fs.find(folder)] if fs.exists(folder) else []
        )

    def _read(self, name: str) -> pa.Table:
        try:
            with self._aim.fs.open(self._aim.path(name), "rb") as file:
                return pq.read_table(file).select(SCHEMA.names).cast(SCHEMA)
        except (pa.ArrowException, KeyError, ValueError):
            raise OutputError(f"{self._aim.name(name)} is damaged: remove it to begin anew") from None

    def _write(self, name: str, rows: pa.Table) -> None:
        with _written(self._aim, name) as file:
            pq.write_table(rows, file)


def _opened(todo: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{**row, "status": OPEN} for row in todo], schema=SCHEMA)


@contextmanager
def _written(place: _Place, relative: str) -> Iterator[IO[bytes]]:
    """A file to write to that gets its name when the block ends well."""
    path = place.path(relative)
    if isinstance(place.fs, LocalFileSystem):
        output.make_folder(Path(path).parent)
        with output.atomic(Path(path)) as file:
            yield file
        return
    with tempfile.SpooledTemporaryFile(max_size=64 * 1024**2) as file:
        yield file
        file.seek(0)
        try:
            place.fs.pipe_file(path, file.read())  # a bucket shows an object when all of it is there
        except Exception as error:
            what = f"{place.name(relative)} cannot be written"
            raise OutputError(f"{what}: {type(error).__name__}: {error}") from None
