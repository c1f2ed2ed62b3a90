"""Mounts the page into the application."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import gradio
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.middleware import Middleware

from srez.serve.guard.headers import PAGE
from srez.serve.limits import PAGE_SECONDS
from srez.serve.page import layout
from srez.serve.page.events import Events
from srez.serve.page.files import PageFiles
from srez.serve.page.guard import PageGuard
from srez.serve.service import Service

_FOLDER = Path(__file__).parent
_SCRIPTS = ("viewer.js", "guesses.js", "faces.js")
_SWEEP_SECONDS = 600  # between two searches for old files


def mount(app: FastAPI, service: Service) -> None:
    """Mount the page into an application.

    Args:
        app: the API.
        service: behind both.

    Raises:
        OutputError: the page's folder, below the state folder, cannot be made.
    """
    files = PageFiles(service.settings.state / "page")
    os.environ["GRADIO_TEMP_DIR"] = str(files.folder)  # where Gradio puts uploads and what the page shows
    blocks = layout.build(Events(service, files))
    files.keep_all()
    functions = {call["id"]: len(call["inputs"]) for call in blocks.get_config_file().get("dependencies", [])}
    stopping = asyncio.Event()
    service.at_quit.append(stopping.set)  # else every open page would delay the stop
    app.add_api_route("/", _redirect, include_in_schema=False)
    app.add_api_route("/favicon.ico", _no_icon, include_in_schema=False)
    gradio.mount_gradio_app(
        app,
        blocks,
        PAGE,
        footer_links=[],
        run_history=False,
        show_error=False,  # only those that are meant for users
        ssr_mode=False,
        max_file_size=service.settings.max_body,
        theme=layout.theme(),
        css_paths=_FOLDER / "page.css",
        head=f"<script>{_scripts()}</script>",
        app_kwargs={
            "docs_url": None,
            "redoc_url": None,
            "openapi_url": None,
            "middleware": [
                Middleware(PageGuard, service=service, files=files, functions=functions, stopping=stopping)
            ],
            "lifespan": _sweeping(files),
        },
    )


def _scripts() -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS)


async def _redirect() -> RedirectResponse:
    return RedirectResponse(PAGE + "/")


async def _no_icon() -> Response:
    return Response(status_code=204)


def _sweeping(files: PageFiles) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """A lifespan during which old files are removed, and at the end all."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await asyncio.to_thread(files.sweep, PAGE_SECONDS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(sweep())
        yield
        task.cancel()
        files.clear()

    return lifespan
