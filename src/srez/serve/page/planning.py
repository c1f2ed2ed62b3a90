"""What a visitor chose on the page, as a plan."""

from pathlib import PurePath
from typing import Any

from srez import images
from srez.errors import OutputError, TooLargeError
from srez.models import box
from srez.serve.inference import options as options_
from srez.serve.inference.models import Models
from srez.serve.inference.options import Options
from srez.serve.inference.picture import UpscalePlan
from srez.serve.service import Service

AUTO = "auto"  # of the size, the format and the repair


async def plan(service: Service, body: bytes, name: PurePath, choices: dict[str, Any]) -> UpscalePlan:
    """What to do with an upload; one that is too large for its own format becomes a PNG.

    Args:
        service: is to upscale it.
        body: of the upload.
        name: of it.
        choices: by name, as the page sends them: unchecked.

    Raises:
        HttpError: there is no such choice (422).
        SrezError: it is no picture, it is too large, or the choices do not suit it.
    """
    own = images.format_of_suffix(name) or images.format_of_bytes(body)
    format = own.name if own and own.writable and own.is_available else images.PNG.name
    if choices["format"] != AUTO:
        return await _plan_in(choices["format"], service, body, choices)
    try:
        return await _plan_in(format, service, body, choices)
    except (TooLargeError, OutputError):
        return await _plan_in(images.PNG.name, service, body, choices)


async def _plan_in(format: Any, service: Service, body: bytes, choices: dict[str, Any]) -> UpscalePlan:
    return await service.plan(body, _options(service.models, {**choices, "format": format}))


def _options(models: Models, choices: dict[str, Any]) -> Options:
    """What was chosen; a knob that the model does not have is hidden, and not looked at."""
    wanted = ("model", "format", "faces", "only_faces")
    values = {key: choices[key] for key in wanted if key in choices}
    if choices["size"] != AUTO:
        values["scale"] = choices["size"]
    model = options_.parse(values).model
    models.require(model)
    card = None if model == box.AUTO else models.cards[model]
    if card and card.vivid:
        values["fidelity"] = choices["fidelity"]
    if choices["repair"] != AUTO and (card is None or card.repair):
        values["repair"] = choices["repair"]
    return options_.parse(values)
