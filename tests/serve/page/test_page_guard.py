"""The page's guard by itself, before an application that fails as Gradio's would."""

import asyncio
import errno
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from srez.serve.page.files import PageFiles
from srez.serve.page.guard import PageGuard


@pytest.mark.parametrize(
    ("failure", "status"), [(OSError(errno.ENOSPC, "full"), 507), (MemoryError(), 503)], ids=str
)
def test_an_upload_that_cannot_be_kept_is_not_a_defect(
    tmp_path: Path, failure: Exception, status: int
) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise failure

    async def run() -> httpx.Response:
        guard = PageGuard(fail, PageFiles(tmp_path / "page"), {}, asyncio.Event())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(guard), base_url="http://localhost"
        ) as client:
            return await client.post("/page/gradio_api/upload", files={"files": b"a"})

    answer = asyncio.run(run())
    assert answer.status_code == status
    assert int(answer.headers["Retry-After"]) > 0
