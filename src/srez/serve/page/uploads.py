"""Takes the page's uploads in Gradio's place: in memory, within a quota, under names of our own."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from srez import images
from srez.serve.guard import forms
from srez.serve.page.files import PageFiles
from srez.serve.service import Service

_SUFFIXES = {kind: each.suffix for each in images.FORMATS for kind in each.media_types}
DONE = Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")  # of the progress of an upload


async def take(request: Request, service: Service, files: PageFiles) -> Response:
    """Keep an upload, and answer with its path as Gradio does.

    Raises:
        HttpError: the form has no file (400), or there is no room in the memory or in the page's quota (429).
        OSError: the disk is full.
    """
    with service.memory.holding() as hold:
        form = await forms.read(forms.counted(request, hold), "files")
        name = "upload" + _SUFFIXES.get(form.media_type, ".bin")
        path = await service.in_thread(files.keep, name, form.file)
    return JSONResponse([files.hidden(path)])
