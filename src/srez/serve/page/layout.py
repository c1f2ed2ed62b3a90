"""The page: its widgets, and which events they trigger."""

from functools import partial
from typing import Any, NamedTuple

import gradio
from gradio.themes import Base, Default

from srez import images
from srez.evaluation import demo
from srez.models import box
from srez.serve.inference.models import Models
from srez.serve.inference.options import FORMATS
from srez.serve.limits import PAGE_SECONDS, Settings
from srez.serve.page import examples, faces
from srez.serve.page.events import EMPTY, Events
from srez.serve.page.planning import AUTO
from srez.serve.page.turns import Turns
from srez.upscaling.loading import load

GUESS = "The result is a plausible guess, not evidence of who or what was in the picture."
_SCALES = (2, 3, 4, 6, 8)
_TENTHS = [tenth / 10 for tenth in range(11)]
_FONTS = ["system-ui", "sans-serif"]


class _Inputs(NamedTuple):
    picture: gradio.Image
    size: gradio.Dropdown
    format: gradio.Dropdown
    model: gradio.Dropdown
    fidelity: gradio.Slider
    repair: gradio.Dropdown
    faces: gradio.Checkbox


class _Buttons(NamedTuple):
    examples: dict[str, gradio.Button]
    upscale: gradio.Button


class _Outputs(NamedTuple):
    viewer: gradio.Markdown
    facts: gradio.Markdown
    download: gradio.DownloadButton
    found: gradio.CheckboxGroup


def build(events: Events) -> gradio.Blocks:
    """The page's components, connected with their events."""
    service = events.service
    with gradio.Blocks(title="srez", analytics_enabled=False) as blocks:
        gradio.Markdown(f"# Make a picture larger\n{GUESS}")
        with gradio.Row():
            with gradio.Column():
                inputs, buttons = _input_column(service.models, service.settings)
            with gradio.Column():
                outputs = _output_column()
        _html("<p>There is an HTTP interface too: <a href='../docs'>how to call it</a>.</p>", "about")
        _connect(events, inputs, buttons, outputs)
    blocks.queue(max_size=service.settings.max_queue)
    return blocks


def theme() -> Base:
    """Gradio's theme with system fonts, and with darker colours for text that would be hard to read."""
    return Default(font=_FONTS, font_mono=["ui-monospace", "monospace"]).set(
        block_info_text_color="*neutral_600",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
    )


def _input_column(models: Models, settings: Settings) -> tuple[_Inputs, _Buttons]:
    picture = gradio.Image(
        label="Your picture",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        height=320,
        elem_id="input",
    )
    _html(f"<p>{limits(settings)}</p><p>Or try an example:</p>", "limits")
    with gradio.Row(elem_id="examples"):
        shown = {
            name: gradio.Button(label, size="sm", min_width=90, elem_id=f"example-{number}")
            for number, (name, label) in enumerate(examples.LABELS.items())
        }
    with gradio.Row():
        size = gradio.Dropdown(
            [("Automatic", AUTO), *((f"{scale} times", scale) for scale in _SCALES)],
            value=AUTO,
            label="Size",
            min_width=140,
        )
        format = gradio.Dropdown(
            [("As it is", AUTO), *((images.format_named(name).label, name) for name in FORMATS)],
            value=AUTO,
            label="Format",
            min_width=140,
        )
    faces_too = faces.switch()
    with gradio.Accordion("More choices", open=False, elem_id="more"):
        model = gradio.Dropdown(
            [(f"{box.AUTO} (by the picture)", box.AUTO), *((name, name) for name in models.cards)],
            value=box.AUTO,
            label="Model",
            info="auto: photo, or what suits tiny faces, pixel art and scans; name one for its fidelity",
        )
        fidelity = _fidelity(models, box.AUTO)
        repair = _repair(models, box.AUTO)
        _comparison_sheet()
    upscale = gradio.Button("Upscale", variant="primary", elem_id="start")
    return _Inputs(picture, size, format, model, fidelity, repair, faces_too), _Buttons(shown, upscale)


def limits(settings: Settings) -> str:
    """What a server takes, for somebody who knows no options."""
    names = [each.label for each in images.FORMATS if each.is_available]
    megabytes, megapixels = settings.max_body / 1e6, settings.max_pixels / 1e6
    return (
        f"{', '.join(names[:-1])} or {names[-1]}, up to {megabytes:.3g} MB and {megapixels:.3g} megapixels "
        f"(4000 × 3000 pixels are 12). Large pictures take some minutes. Pictures and results are deleted "
        f"after {PAGE_SECONDS / 60:.0f} minutes."
    )


def _comparison_sheet() -> None:
    gradio.Image(
        demo.sheet(load("faces")),  # the built-in one, even if --models replaces it
        label="16x16 pixels, made larger by bicubic and by srez, and the original",
        interactive=False,
        buttons=[],
        alt_text="A face of 16x16 pixels, upscaled by bicubic and by srez, and the original.",
        elem_id="sheet",
    )


def _html(html: str, name: str) -> gradio.Markdown:
    """Some HTML of ours. `gradio.HTML` compiles its templates in the browser, which our policy forbids."""
    return gradio.Markdown(html, sanitize_html=False, elem_id=name)


def _output_column() -> _Outputs:
    viewer = _html("", "viewer")
    facts = _html(EMPTY, "facts")
    found = faces.choice()
    download = gradio.DownloadButton("Download", interactive=False, elem_id="download")
    return _Outputs(viewer, facts, download, found)


def _connect(events: Events, inputs: _Inputs, buttons: _Buttons, outputs: _Outputs) -> None:
    turns = Turns()
    hidden: dict[str, Any] = {
        "api_visibility": "private",
        "show_progress": "hidden",  # it is among the outputs
    }
    event: dict[str, Any] = {
        **hidden,
        "preprocess": False,  # our own error messages are better than Gradio's
        # All in the order in which they come, and at once; what is still wanted of them is up to `turns`.
        "trigger_mode": "multiple",
        "concurrency_id": "page",
        "concurrency_limit": None,
    }
    shown = list(outputs)
    buttons.upscale.click(turns.handler(events.upscale), list(inputs), shown, **event)
    for name, button in buttons.examples.items():
        example = turns.handler(partial(events.example, name))
        button.click(example, list(inputs), [inputs.picture, *shown], **event)
    outputs.found.input(turns.handler(events.again), [*inputs, outputs.found], shown, **event)
    for change in (inputs.picture.input, inputs.picture.clear):
        change(turns.handler(events.change), inputs.picture, shown, **event)
    models = events.service.models
    inputs.model.change(
        lambda name: (_fidelity(models, name), _repair(models, name)),
        inputs.model,
        [inputs.fidelity, inputs.repair],
        **hidden,
    )


def _fidelity(models: Models, model: str) -> gradio.Slider:
    """The slider for a model with vivid weights; hidden for "auto" and for other models."""
    card = None if model == box.AUTO else models.cards[model]
    has_vivid_weights = card is not None and card.vivid is not None
    return gradio.Slider(
        0,
        1,
        card.fidelity if card and has_vivid_weights else 1.0,
        step=0.05,
        label="Fidelity",
        info="0 vivid, 1 faithful",
        visible=has_vivid_weights,
    )


def _repair(models: Models, model: str) -> gradio.Dropdown:
    """The choice of how much is repaired; hidden for a model that does not repair."""
    names = {0.0: "0, none", 1.0: "1, full"}
    return gradio.Dropdown(
        [("Automatic", AUTO), *((names.get(tenth, f"{tenth:g}"), tenth) for tenth in _TENTHS)],
        value=AUTO,
        label="Repair",
        info="of marks of JPEG and of noise; Automatic looks at the picture",
        visible=model == box.AUTO or models.cards[model].repair is not None,
    )
