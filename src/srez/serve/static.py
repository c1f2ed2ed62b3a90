"""The page that upscales in the visitor's browser: files, and no work for the server."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from srez import __version__, browser
from srez.errors import MissingToolError
from srez.serve.guard.headers import PAGE
from srez.serve.observe import logs


def mount(app: FastAPI, state: Path) -> None:
    """Mount the page into an application; it is built when it is not there yet.

    Args:
        app: the API.
        state: folder of the server, in which the page is kept for this version of srez.

    Raises:
        MissingToolError: it must be built, and there is no Node.
        OutputError: the build failed.
    """
    folder = (state / f"browser-{__version__}").absolute()
    if not (folder / browser.SERVICE_WORKER).is_file():
        logs.event("building the page")
        try:
            browser.build(folder)
        except MissingToolError:
            raise MissingToolError(
                "--page browser needs Node 20.19 or later to build the page: install it, or run "
                f"`srez web build` on another machine and copy the result to {folder}"
            ) from None
    app.add_api_route("/", _redirect, include_in_schema=False)
    app.mount(PAGE, StaticFiles(directory=folder, html=True))


async def _redirect() -> RedirectResponse:
    return RedirectResponse(PAGE + "/")
