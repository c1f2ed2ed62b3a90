"""The manifest: a Parquet file in the target that says what became of each input."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from srez.cluster.upscaling.store import Store
from srez.errors import OutputError

FILE = "manifest.parquet"
PARTS = "manifest.parts"  # a folder: rows of a run that is under way or was killed
PART_SECONDS = 20.0  # the most work a killed run repeats, besides what its workers had in hand

OPEN = "open"  # to be done: a run was stopped before it
DONE = "done"
KEPT = "kept"  # the target holds a file that is not ours, and --skip left it
RESULT = "result"  # the input is a result of srez itself: left out unless --again
REFUSED = "refused"  # the file itself is at fault: tried again only when it changes
FAILED = "failed"  # for any other reason: tried again by the next run

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("target", pa.string()),
        ("status", pa.string()),
        ("settings", pa.string()),
        ("bytes", pa.int64()),
        ("version", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("error", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one input.

    Attributes:
        source: the input, by its path below the source.
        target: its result, by its path below the target.
        status: OPEN, DONE, KEPT, RESULT, REFUSED or FAILED.
        settings: a hash of what the result depends on beside the input; None if the result is not ours.
        bytes: the input's size, if known.
        version: of the input, as in `StoredFile`.
        sha256: of the input; None if it could not be read.
        width: of the result, in pixels.
        height: of the result, in pixels.
        error: why there is no result.
    """

    source: str
    target: str
    status: str
    settings: str | None
    bytes: int | None
    version: str
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    error: str | None = None

    def is_same_request(self, other: "Row") -> bool:
        """Whether input, target and settings are unchanged."""
        return all(getattr(self, name) == getattr(other, name) for name in _REQUEST)


_REQUEST = ("source", "target", "settings", "bytes", "version")


def to_table(rows: Iterable[Row]) -> pa.Table:
    """Rows as Arrow holds them, with `SCHEMA`."""
    rows = list(rows)
    columns = {name: [getattr(row, name) for row in rows] for name in SCHEMA.names}
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def from_table(table: pa.Table) -> list[Row]:
    """The rows of a table with `SCHEMA`."""
    return [Row(**values) for values in table.to_pylist()]


class Manifest:
    """The manifest of a target: parts while a run is under way, one file at its end.

    Attributes:
        earlier: the rows of the runs before.
        added: how many rows this run has added.
    """

    def __init__(self, store: Store) -> None:
        """Read what earlier runs left, killed ones too.

        Raises:
            OutputError: it is damaged.
        """
        self._store = store
        self._requested: list[Row] = []
        self._added: list[pa.Table] = []
        self._unwritten: list[pa.Table] = []
        self._written_at = time.monotonic()
        self._has_parts = store.exists(PARTS)
        files = [FILE] if store.exists(FILE) else []
        files += [f"{PARTS}/{name}" for name in sorted(store.below(PARTS).files())]
        self._earlier = pa.concat_tables([SCHEMA.empty_table(), *(self._read(name) for name in files)])
        self.added = 0

    @property
    def earlier(self) -> dict[str, Row]:
        """The rows of earlier runs, by source; of several for one source, the newest."""
        return {row.source: row for row in from_table(self._earlier)}

    def begin(self, requested: list[Row]) -> None:
        """Record the planned results: if this run is killed, the next one will know them as ours."""
        self._requested = requested
        self._write_part(to_table(requested))

    def add(self, rows: pa.Table) -> None:
        """Collect finished rows and write them from time to time, so that a killed run loses little."""
        rows = rows.select(SCHEMA.names).cast(SCHEMA)
        self._added.append(rows)
        self._unwritten.append(rows)
        self.added += len(rows)
        if time.monotonic() - self._written_at > PART_SECONDS:
            self._write_part(pa.concat_tables(self._unwritten))
            self._unwritten.clear()
            self._written_at = time.monotonic()

    def finish(self, settled: list[Row]) -> pa.Table:
        """Write the complete manifest if anything has changed, and remove the parts.

        Args:
            settled: rows that needed no work.

        Returns:
            All rows, sorted by source.
        """
        finished = {source for rows in self._added for source in rows["source"].to_pylist()}
        unfinished = [row for row in self._requested if row.source not in finished]
        tables = [to_table([*settled, *unfinished]), *self._added]
        whole = pa.concat_tables(tables).sort_by("source")
        if self._added or self._has_parts or not whole.equals(self._earlier):
            self._write(FILE, whole)
        self._store.remove_folder(PARTS)
        return whole

    def _write_part(self, rows: pa.Table) -> None:
        self._has_parts = True
        self._write(f"{PARTS}/{time.time_ns()}.parquet", rows)

    def _read(self, name: str) -> pa.Table:
        try:
            with self._store.file_system.open(self._store.path(name), "rb") as file:
                return pq.read_table(file).select(SCHEMA.names).cast(SCHEMA)
        except (pa.ArrowException, KeyError, ValueError):
            raise OutputError(f"{self._store.url_of(name)} is damaged: remove it to start again") from None

    def _write(self, name: str, rows: pa.Table) -> None:
        with self._store.writing(name) as file:
            pq.write_table(rows, file)
