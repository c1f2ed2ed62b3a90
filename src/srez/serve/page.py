"""The page: a picture in, before and after side by side, the result to take away."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI


def mount(app: FastAPI, service: Any) -> None:
    """Nothing yet."""
