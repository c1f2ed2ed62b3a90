"""`srez serve`."""

from pathlib import Path
from typing import Annotated

import typer

from srez.cli.extras import require
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
        Path | None, typer.Option(help="Folder of further models: .onnx files with their cards.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="SREZ_API_KEY", help="Require this API key; best set as an environment variable."
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Web origin whose pages may call the API, such as https://example.org; repeatable."
        ),
    ] = None,
    page: Annotated[bool, typer.Option(help="Serve the web page beside the API.")] = True,
    max_body: Annotated[int, typer.Option(min=1, help="Bytes of a request.")] = limits.MAX_BODY,
    max_pixels: Annotated[int, typer.Option(min=1, help="Pixels of a job's picture.")] = limits.MAX_PIXELS,
    max_direct_pixels: Annotated[
        int, typer.Option(min=1, help="Pixels of a picture that is answered directly.")
    ] = limits.MAX_DIRECT_PIXELS,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Pictures waiting for a direct answer; others get 429.")
    ] = limits.MAX_QUEUE,
    max_wait: Annotated[
        float, typer.Option(min=0.1, help="Expected seconds in the queue; beyond, 429.")
    ] = limits.MAX_WAIT,
    max_jobs: Annotated[int, typer.Option(min=1, help="Jobs kept, in any state.")] = limits.MAX_JOBS,
    max_memory: Annotated[
        int, typer.Option(min=1, help="Bytes of pictures and results held at the same time.")
    ] = limits.MAX_MEMORY,
    max_seconds: Annotated[
        float, typer.Option(min=0.1, help="Seconds for a direct answer, waiting included.")
    ] = limits.MAX_SECONDS,
    keep_hours: Annotated[
        float, typer.Option(min=0.01, help="Hours for which a finished job is kept.")
    ] = limits.KEEP_HOURS,
    grace_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds for running work when the server is told to stop.")
    ] = limits.GRACE_SECONDS,
    tile: Annotated[int, typer.Option(help="Largest side of a tile, in input pixels.")] = limits.TILE,
    max_batch: Annotated[
        int, typer.Option(min=1, help="Small pictures of one size that run as one batch.")
    ] = limits.MAX_BATCH,
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
        )
    )
