"""The server against its own OpenAPI document, by schemathesis."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.serving import Server, serving

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
CHECKS += ",unsupported_method,response_headers_conformance"


def check(server: Server, examples: int, key: str | None = None) -> str:
    headers = ["--header", f"X-API-Key: {key}"] if key else []
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"http://127.0.0.1:{server.port}/openapi.json",
    ]
    command += ["--checks", CHECKS, "--max-examples", str(examples), "--seed", "1", "--no-color", *headers]
    command += ["--request-timeout", "300", "--generation-database", "none"]
    command += ["--suppress-health-check", "too_slow"]  # of the machine, that is no defect
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=server.log.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_few_examples_of_every_route(server: Server) -> None:
    check(server, 3)


def test_everything_that_is_sent_has_an_example_and_every_error_is_ours(server: Server) -> None:
    schema = server.http.get("/openapi.json").json()
    assert "HTTPValidationError" not in str(schema)
    for path in ("/v1/upscale", "/v1/jobs"):
        post = schema["paths"][path]["post"]
        assert all(parameter["schema"].get("examples") for parameter in post["parameters"])
        example = post["requestBody"]["content"]["multipart/form-data"]["example"]["file"]
        assert server.http.post(path, files={"file": example.encode()}).status_code in (200, 202)
        form = post["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert set(form["properties"]) == {"file", *(parameter["name"] for parameter in post["parameters"])}
    for operations in schema["paths"].values():
        for operation in operations.values():
            errors = {code: answer for code, answer in operation["responses"].items() if code >= "400"}
            for answer in errors.values():
                name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert schema["components"]["schemas"][name]["required"] == ["error"]


@pytest.mark.serve_slow
def test_many_examples_of_every_route(tmp_path: Path) -> None:
    with serving(tmp_path, "--page", "none", SREZ_API_KEY="a key") as server:
        print(check(server, 100, "a key")[-700:])
        assert not [line for line in server.logged() if line["level"] == "error"]
