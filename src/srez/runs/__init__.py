"""Run folders, as `srez train` leaves them: `find` and `read` them, `summary` and `table` show them."""

from srez.runs.listing import progress, summary, table
from srez.runs.reading import Run, find, read

__all__ = ["Run", "find", "progress", "read", "summary", "table"]
