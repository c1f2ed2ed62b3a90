"""Faces that were found in a picture, as clients are told of them."""

import json
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from srez.upscaling.faces import Treated

MOST_IN_HEADER = 32  # faces: proxies take headers of 4 kB


class FoundFace(BaseModel):
    """A face that was found, and what was done to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=1, description="The surest is 1.")
    box: list[float] = Field(
        min_length=4,
        max_length=4,
        description="Left, top, right and bottom, in pixels of the picture that was sent.",
    )
    score: float = Field(ge=0, le=1, description="How sure it is that this is a face.")
    enlarged: bool = Field(description="Whether the model of faces enlarged it.")
    left: Literal["too small", "too large", "not chosen"] | None = Field(
        default=None, description="Why it was left to the picture's model; none if it was enlarged."
    )


def told(faces: Sequence[Treated]) -> tuple[FoundFace, ...]:
    """What is told of faces."""
    return tuple(FoundFace.model_validate(each.as_json()) for each in faces)


def header(faces: Sequence[FoundFace]) -> str:
    """The first faces as JSON in one line, for a header."""
    return json.dumps([each.model_dump() for each in faces[:MOST_IN_HEADER]], separators=(",", ":"))
