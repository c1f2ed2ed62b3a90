"""`srez serve`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.extras import require
from srez.cli.options import Device, Precision
from srez.models.devices import AUTO, Place
from srez.serve import limits

app = typer.Typer()


@app.command(
    epilog="Examples: `srez serve`, `srez serve --host 0.0.0.0 --models models/ --state /var/lib/srez`, "
    "`SREZ_API_KEY=secret srez serve --max-pixels 4000000`"
)
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for a free one.")] = 8000,
    state: Annotated[Path, typer.Option(help="Folder for jobs and their results.")] = Path("srez-state"),
    models: Annotated[
        Path | None, typer.Option(help="Folder with more models: .onnx files with their cards.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SREZ_API_KEY",
            help="Require this API key; set it in the environment to keep it out of process lists.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Answer under this name too, such as srez.example.org; * for any. Addresses, localhost and "
            "the machine's name need no option; repeatable."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Allow pages of this origin to call the API, such as https://example.org; * for any; "
            "repeatable."
        ),
    ] = None,
    page: Annotated[
        limits.Page,
        typer.Option(
            help="The web page beside the API: one that upscales on the server, one that upscales in the "
            "visitor's browser (Node builds it at the first start), or none."
        ),
    ] = limits.Page.SERVER,
    max_body: Annotated[int, typer.Option(min=1, help="Largest request body, in bytes.")] = limits.MAX_BODY,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Largest picture of a job, in pixels.")
    ] = limits.MAX_PIXELS,
    max_direct_pixels: Annotated[
        int,
        typer.Option(min=1, help="Largest picture for a direct answer, in pixels; larger ones must be jobs."),
    ] = limits.MAX_DIRECT_PIXELS,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Most pictures that may wait for a direct answer; others get 429.")
    ] = limits.MAX_QUEUE,
    max_wait: Annotated[
        float,
        typer.Option(
            min=0.1, help="Longest expected wait in the queue, in seconds; beyond it, pictures get 429."
        ),
    ] = limits.MAX_WAIT,
    max_jobs: Annotated[int, typer.Option(min=1, help="Most jobs to keep, in any state.")] = limits.MAX_JOBS,
    max_memory: Annotated[
        int, typer.Option(min=1, help="Most memory for pictures and results, in bytes.")
    ] = limits.MAX_MEMORY,
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="Longest time for a direct answer, in seconds, including the wait.")
    ] = limits.MAX_SECONDS,
    keep_hours: Annotated[
        float, typer.Option(min=0.01, help="How long to keep finished jobs, in hours.")
    ] = limits.KEEP_HOURS,
    grace_seconds: Annotated[
        float,
        typer.Option(min=0, help="How long to let running work finish when the server stops, in seconds."),
    ] = limits.GRACE_SECONDS,
    tile: Annotated[int, typer.Option(help="Largest side of a tile, in input pixels.")] = limits.TILE,
    max_batch: Annotated[
        int, typer.Option(min=1, help="Most small pictures of one size to run as one batch.")
    ] = limits.MAX_BATCH,
    device: Device = None,
    precision: Precision = AUTO,
) -> None:
    """Serve the HTTP API and the web page until stopped."""
    require("serving", "fastapi", "gradio", "httptools", "prometheus_client", "uvicorn", extra="serve")
    from srez.serve import server

    server.run(
        limits.Settings(
            host=host,
            port=port,
            state=state,
            models=models,
            key=api_key or None,
            hosts=tuple(allow_host or ()),
            origins=tuple(allow_origin or ()),
            page=page,
            max_body=max_body,
            max_pixels=max_pixels,
            max_direct_pixels=max_direct_pixels,
            max_queue=max_queue,
            max_wait=max_wait,
            max_jobs=max_jobs,
            max_memory=max_memory,
            max_seconds=max_seconds,
            keep_hours=keep_hours,
            grace_seconds=grace_seconds,
            tile=tile,
            max_batch=max_batch,
            place=Place(device, precision),
        )
    )
