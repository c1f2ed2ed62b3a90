"""The documentation and the packaging of the server say what it does."""

import dataclasses
import re
from pathlib import Path

import compose_spec
import pytest
import typer.main
import yaml
from typer.core import TyperGroup
from typer.testing import CliRunner

from srez.cli import app
from srez.serve import limits
from srez.serve.api.responses import FACT_HEADERS
from srez.serve.api.upload import ACCEPTED
from srez.serve.inference.options import FORMATS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/serving.md").read_text()


def test_every_route_and_status_is_documented(server) -> None:
    schema = server.http.get("/openapi.json").json()
    for path, methods in schema["paths"].items():
        shown = path.replace("{name}", "ID")
        for method, route in methods.items():
            assert f"`{method.upper()} {shown}`" in PAGE
            assert all(f"| {status} |" in PAGE for status in route["responses"]), route["responses"].keys()


def test_every_limit_has_the_test_that_the_threat_model_names() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(), (path, test)
    for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", text):
        assert name == "SREZ_API_KEY" or hasattr(limits, name), name


def test_every_option_is_documented() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for parameter in group.commands["serve"].params:
        if parameter.name != "help":
            assert f"`{parameter.opts[0]}`" in PAGE, parameter.opts
    assert "SREZ_API_KEY" in PAGE
    assert all(kind in PAGE for kind in (*ACCEPTED, *FORMATS))
    assert all(f"`{name}`" in PAGE for name in FACT_HEADERS)


def test_the_options_are_the_settings() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    options = {parameter.name: parameter.default for parameter in group.commands["serve"].params}
    names = {"key": "api_key", "hosts": "allow_host", "origins": "allow_origin"}
    for field in dataclasses.fields(limits.Settings):
        if field.name == "place":  # --device and --precision, which other commands have too
            continue
        default = options[names.get(field.name, field.name)]
        assert (default or None) == (field.default or None) or str(default) == str(field.default), field.name


def test_every_option_reaches_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[limits.Settings] = []
    monkeypatch.setattr("srez.serve.server.run", asked.append)
    wanted = limits.Settings(
        "::1",
        1,
        Path("a"),
        Path("b"),
        "c",
        ("d",),
        ("https://e",),
        limits.Page.NONE,
        2,
        3,
        4,
        5,
        6.5,
        7,
        8,
        9.5,
        10.5,
        11.5,
        12,
        13,
    )
    words = ["serve"]
    names = {"key": "api_key", "hosts": "allow_host", "origins": "allow_origin"}
    for name, value in vars(wanted).items():
        if name != "place":
            option = f"--{names.get(name, name).replace('_', '-')}"
            words += [option, str(value[0] if isinstance(value, tuple) else value)]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert asked == [wanted]


def test_compose_is_valid() -> None:
    # The validator takes a file whose variables have been replaced.
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "compose.yaml").read_text())
    compose = compose_spec.PyCompose.from_yaml(text)
    compose.validate()
    assert set(compose.service_names()) == {"serve", "train"}
    serve = yaml.safe_load(text)["services"]["serve"]
    assert "runs:/runs:ro" in serve["volumes"]
    assert int(serve["stop_grace_period"].rstrip("s")) > limits.GRACE_SECONDS + limits.CUT_SECONDS
    with pytest.raises(Exception, match=r"."):
        compose_spec.PyCompose.from_yaml(text.replace("read_only: true", "read_only: perhaps")).validate()
