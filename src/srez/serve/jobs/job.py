"""What a job is, and how its row in the database becomes one."""

import sqlite3
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import from_json

from srez.serve.inference.found import FoundFace
from srez.serve.inference.options import STORED, Options

State = Literal["queued", "running", "done", "failed"]
Moment = Annotated[float, Field(ge=0, lt=253_402_300_800)]  # seconds since 1970, before the year 10,000


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        id: 32 random hexadecimal digits; whoever knows it can see the job.
        state: where it stands.
        options: that it was asked for with.
        attempts: how often it was begun.
        created: seconds since 1970.
        finished: seconds since 1970, or None.
        error: why it failed, or None.
        faces: that were found, once it is done, if they were looked for.
    """

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    state: State
    options: Options
    attempts: int
    created: Moment
    finished: Moment | None
    error: str | None
    faces: tuple[FoundFace, ...] | None = None


_JOB = TypeAdapter(Job)


def job_of(row: sqlite3.Row) -> Job:
    """The job of a row.

    Raises:
        ValueError: the row is none that a server of this version writes.
    """
    faces = None if row["faces"] is None else from_json(str(row["faces"]))
    options = from_json(str(row["options"]))
    job = _JOB.validate_python({**row, "options": options, "faces": faces}, context=STORED)
    if (job.finished is None) != (job.state in ("queued", "running")):
        raise ValueError("only a job that is done or has failed is finished")
    return job
