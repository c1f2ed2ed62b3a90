"""Which pictures a batch upscales and how, in a form that can be sent to workers."""

import hashlib
import json
from dataclasses import dataclass, field

from srez.models import box
from srez.models.devices import Place
from srez.upscaling import faces
from srez.upscaling.convert import Options
from srez.upscaling.loading import Choose, chooser
from srez.upscaling.plan import Rules


@dataclass(frozen=True)
class ModelChoice:
    """A model and how to run it.

    Attributes:
        name: "auto", a built-in model, or the path of an .onnx file that all machines can read.
        fidelity: of a model with vivid weights; None for the card's.
        tile: the largest side of a tile, in input pixels; None for what fits into memory.
        repair: of a model that repairs; None for what suits each picture.
        place: where each worker runs it.
        faces: whether faces in photographs are enlarged by the model of faces.
    """

    name: str
    fidelity: float | None = None
    tile: int | None = None
    repair: float | None = None
    place: Place = field(default_factory=Place)
    faces: bool = False

    def load(self) -> Choose:
        """A function that chooses the upscaler for each picture; see `chooser` for what it raises."""
        return chooser(self.name, self.fidelity, self.tile, self.repair, self.place, self.faces)


@dataclass(frozen=True)
class Batch:
    """Which pictures to upscale, and how.

    Attributes:
        source: a folder or any URL that fsspec knows, such as `s3://...`.
        target: the same; results keep their names.
        model: what to run.
        rules: which pictures are upscaled, and what results are called; `out` is ignored. `existing` decides
            about files in a result's place that no earlier run made; OVERWRITE upscales every picture again.
        options: how pictures are upscaled.
    """

    source: str
    target: str
    model: ModelChoice
    rules: Rules = field(default_factory=Rules)
    options: Options = field(default_factory=Options)

    def settings_hash(self) -> str:
        """A short hash of everything but the input that a result depends on; tiles make no difference.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        model, options, format_ = self.model, self.options, self.rules.format
        cards = [box.card(box.find(name)) for name in sorted(box.candidates(model.name))]
        weights = [
            [file and file.sha256 for file in (each, each.vivid, each.repair, each.vivid_repair)]
            for each in cards
        ]
        fidelities = [
            each.fidelity if model.fidelity is None else model.fidelity for each in cards if each.vivid
        ]
        how = [str(options.size), options.quality, options.background, options.wrap, options.salvage]
        if options.frames:
            how.append(options.frames)
        if model.faces:
            how.append(box.card(box.find(faces.MODEL)).sha256)
        text = json.dumps([weights, fidelities, model.repair, *how, format_ and format_.name])
        return hashlib.sha256(text.encode()).hexdigest()[:12]
