"""What the page shows of faces: the switch, boxes over the result, and a choice of those to enlarge."""

from html import escape
from typing import Any

import gradio

from srez.errors import ModelError
from srez.serve.inference.found import FoundFace
from srez.serve.inference.picture import UpscalePlan
from srez.upscaling import faces

Found = tuple[FoundFace, ...] | None
"""The faces of a picture; None if they were not looked for."""


def switch() -> gradio.Checkbox:
    """The switch, off; hidden where nothing can find faces."""
    return gradio.Checkbox(
        value=False,
        label="Faces",
        info="Find the small faces of a photograph, and enlarge them by a model of faces",
        visible=_can_be_found(),
        elem_id="faces",
    )


def choice(found: Found = None) -> gradio.CheckboxGroup:
    """Which faces to enlarge; hidden where there are none."""
    fitting = [each for each in found or () if each.left in (None, "not chosen")]
    return gradio.CheckboxGroup(
        [(f"Face {each.number}", str(each.number)) for each in fitting],
        value=[str(each.number) for each in fitting if each.enlarged],
        label="Faces to enlarge",
        info="Untick one, or click its box, to leave it as it is without the model of faces",
        visible=bool(fitting),
        interactive=True,
        elem_id="found",
    )


def asked(switched: Any, chosen: Any) -> dict[str, Any]:
    """The options of a switch and a choice; None chooses all. A browser may send anything."""
    options = {"faces": switched if switched is not None else False}
    if chosen is not None:
        options["only_faces"] = ",".join(map(str, chosen)) if isinstance(chosen, list) else chosen
    return options


def layer(found: Found, plan: UpscalePlan) -> tuple[str, str]:
    """Boxes to lie over a result, and a switch that hides them, as HTML for `faces.js`."""
    if not found:
        return "", ""
    boxes = "".join(_box(each, plan.size) for each in found)
    label = '<label><input type="checkbox" data-boxes checked> Show where the faces are</label>'
    return f'<div class="faces" aria-hidden="true">{boxes}</div>', f'<div class="sure">{label}</div>'


def said(found: Found) -> str:
    """What was done to each face, as HTML; "" if they were not looked for."""
    if found is None:
        return ""
    if not found:
        return "<p>No face was found.</p>"
    lines = "".join(f"<li>{_label(each)}</li>" for each in found)
    return f'<ul class="found">{lines}</ul>'


def _box(face: FoundFace, size: tuple[int, int]) -> str:
    width, height = size
    left, top, right, bottom = face.box
    shares = {
        "left": left / width,
        "top": top / height,
        "width": (right - left) / width,
        "height": (bottom - top) / height,
    }
    style = "; ".join(f"{name}: {100 * share:.3f}%" for name, share in shares.items())
    kind = "enlarged" if face.enlarged else "chosen-not" if face.left == "not chosen" else "unfit"
    return (
        f'<div class="face {kind}" data-face="{face.number}" title="{escape(_label(face))}" style="{style}">'
        f"<span>{face.number}</span></div>"
    )


def _label(face: FoundFace) -> str:
    if face.enlarged:
        return f"Face {face.number}: enlarged by {faces.MODEL}."
    why = {"not chosen": "you chose so", "too small": "it is too small", "too large": "it is large enough"}
    return f"Face {face.number}: left as it is, since {why[face.left or 'not chosen']}."


def _can_be_found() -> bool:
    try:
        faces.model()
    except ModelError:
        return False
    return True
