"""The page: its widgets, and which events they trigger."""

from typing import Any, NamedTuple

import gradio
from gradio.themes import Base, Default

from srez.evaluation import demo
from srez.models import box
from srez.serve.inference.models import Models
from srez.serve.inference.options import FORMATS
from srez.serve.page.events import Events
from srez.upscaling.upscaler import load

GUESS = "The result is a plausible guess, not evidence of who or what was in the picture."
_FONTS = ["system-ui", "sans-serif"]
_MAX_RUNNING = 8  # pictures upscaled at the same time


class _Inputs(NamedTuple):
    picture: gradio.Image
    model: gradio.Dropdown
    fidelity: gradio.Slider
    format: gradio.Dropdown


class _Buttons(NamedTuple):
    example: gradio.Button
    upscale: gradio.Button


class _Outputs(NamedTuple):
    slider: gradio.ImageSlider
    facts: gradio.Markdown
    download: gradio.DownloadButton


def build(events: Events) -> gradio.Blocks:
    """The page's components, connected with their events."""
    service = events.service
    with gradio.Blocks(title="srez", analytics_enabled=False) as blocks:
        gradio.Markdown(f"# srez: upscale a picture\n{GUESS}")
        with gradio.Row():
            with gradio.Column():
                inputs, buttons = _input_column(service.models)
            with gradio.Column():
                outputs = _output_column()
        _connect(events, inputs, buttons, outputs)
    blocks.queue(max_size=service.settings.max_queue)
    return blocks


def theme() -> Base:
    """Gradio's theme with system fonts, and with darker colours for text that would be hard to read."""
    return Default(font=_FONTS, font_mono=["ui-monospace", "monospace"]).set(
        block_info_text_color="*neutral_600",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
    )


def _input_column(models: Models) -> tuple[_Inputs, _Buttons]:
    picture = gradio.Image(
        label="Your picture",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        height=320,
        elem_id="input",
    )
    example = gradio.Button("Try an example", elem_id="example")
    _comparison_sheet()
    model = gradio.Dropdown(
        [box.AUTO, *models.cards],
        value=box.AUTO,
        label="Model",
        info="auto: photo, or what suits faces of 16x16 pixels, pixel art, scans; name one for its fidelity",
    )
    fidelity = _fidelity(models, box.AUTO)
    format = gradio.Dropdown(list(FORMATS), value="png", label="Format of the result")
    upscale = gradio.Button("Upscale", variant="primary", elem_id="start")
    return _Inputs(picture, model, fidelity, format), _Buttons(example, upscale)


def _comparison_sheet() -> None:
    with gradio.Accordion("Input, bicubic, srez and original", open=False, elem_id="sheet"):
        gradio.Image(
            demo.sheet(load("faces")),  # the built-in one, even if --models replaces it
            show_label=False,
            interactive=False,
            buttons=[],
            alt_text="A face of 16x16 pixels, upscaled by bicubic and by srez, and the original.",
        )


def _output_column() -> _Outputs:
    slider = gradio.ImageSlider(
        label="Before (bicubic) and after",
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        max_height=480,
        elem_id="slider",
    )
    facts = gradio.Markdown(elem_id="facts")
    download = gradio.DownloadButton("Download the result", interactive=False, elem_id="download")
    return _Outputs(slider, facts, download)


def _connect(events: Events, inputs: _Inputs, buttons: _Buttons, outputs: _Outputs) -> None:
    upscale_event: dict[str, Any] = {
        "inputs": list(inputs),
        "outputs": list(outputs),
        "preprocess": False,  # our own error messages are better than Gradio's
        "api_visibility": "private",
        "concurrency_limit": _MAX_RUNNING,
    }
    buttons.upscale.click(events.upscale, **upscale_event)
    example = buttons.example.click(events.example, None, inputs.picture, api_visibility="private")
    example.then(events.upscale, **upscale_event)
    inputs.model.change(
        lambda name: _fidelity(events.service.models, name),
        inputs.model,
        inputs.fidelity,
        api_visibility="private",
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
