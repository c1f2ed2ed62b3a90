"""Options from the query and from the fields of a form."""

from typing import Any

import pytest

from helpers.serving import PNG, Server, face, png

FACE = png(face())


def form(fields: dict[str, str], body: bytes = FACE) -> dict[str, Any]:
    return {"files": {"file": ("a.png", body)}, "data": fields}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {"format": "webp", "scale": "2", "model": "faces", "fidelity": "0.25", "quality": "80"}),
        ("?format=webp&scale=2", {"model": "faces", "fidelity": "0.25", "quality": "80"}),
        ("?format=webp&scale=2&model=faces&fidelity=0.25&quality=80", {"scale": "2", "fidelity": "0.250"}),
    ],
)
def test_options_beside_the_file_are_those_of_the_query(
    server: Server, query: str, fields: dict[str, str]
) -> None:
    options = "?format=webp&scale=2&model=faces&fidelity=0.25&quality=80"
    expected = server.http.post("/v1/upscale" + options, content=FACE, headers=PNG)
    answer = server.http.post("/v1/upscale" + query, **form(fields))
    assert (answer.status_code, answer.headers["X-Srez-Fidelity"]) == (200, "0.25"), answer.text
    assert answer.content == expected.content


def test_a_job_takes_options_beside_the_file(server: Server) -> None:
    answer = server.http.post("/v1/jobs", **form({"format": "webp", "model": "photo"}))
    assert (answer.json()["format"], answer.json()["model"]) == ("webp", "photo")
    server.job(answer.headers["Location"], "done")


@pytest.mark.parametrize("path", ["/v1/upscale", "/v1/jobs"])
@pytest.mark.parametrize(
    ("query", "fields", "name"),
    [
        ("?scale=2", {"scale": "3"}, "scale"),
        ("?scale=2&scale=3", {}, "scale"),
        ("?fidelity=0.5", {"fidelity": "0.25"}, "fidelity"),
        ("", {"colour": "red"}, "'colour'"),
        ("", {"scale": "0"}, "scale"),
        ("", {"scale": ""}, "scale"),
        ("", {"fidelity": "nan"}, "fidelity"),
        ("", {"format": "bmp"}, "'bmp'"),
        ("", {"model": "a" * 1000}, "model"),
        ("?samples=65", {}, "samples"),
        ("?samples=2", {"samples": "3"}, "samples"),
        ("", {"samples": "2", "seed": str(2**63)}, "seed"),
        ("", {"uncertainty": "perhaps"}, "uncertainty"),
    ],
)
def test_an_invalid_or_contradictory_option_is_named(
    server: Server, path: str, query: str, fields: dict[str, str], name: str
) -> None:
    answer = server.http.post(path + query, **form(fields))
    assert answer.status_code == 422, answer.text
    assert name in answer.json()["error"]


def test_a_scale_and_a_width_contradict_each_other_across_query_and_form(server: Server) -> None:
    assert server.http.post("/v1/upscale?scale=2", **form({"width": "30"})).status_code == 400


@pytest.mark.parametrize("charset", ["utf-16", "base64", "idna", "undefined", "no-such", "a%00b", "punycode"])
def test_no_charset_of_a_form_is_a_defect(server: Server, charset: str) -> None:
    text = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        + FACE
        + b'\r\n--x\r\nContent-Disposition: form-data; name="scale"\r\n\r\n2\xff\r\n--x--\r\n'
    )
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    assert server.http.post("/v1/upscale", content=text, headers=headers).status_code in (400, 422)
