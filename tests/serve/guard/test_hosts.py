"""Hosts, origins and headers of every answer, as a scanner of web sites checks them."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.serving import Server, ask, face, png
from srez.cli import app
from srez.errors import OptionError
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(face())
ROUTES = ("/", "/healthz", "/v1/models", "/metrics", "/openapi.json", "/page/", "/page/config", "/nowhere")
PAGE_CONFIG = "/page/config"


def raw(server: Server, request: str) -> str:
    """What a server answers to a request that a client of HTTP would not send."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{request}Connection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(10_000):
            answer += piece
        return answer.decode()


@pytest.mark.parametrize("path", ROUTES)
def test_a_strange_name_reaches_nothing(server: Server, path: str) -> None:
    for host in ("evil.com", "evil.com:80", "127.0.0.1.evil.com", "localhost.evil.com", "a@127.0.0.1", ""):
        answer = server.http.get(path, headers={"Host": host})
        assert answer.status_code == 421, host
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8000", "LOCALHOST.", "[::1]:80", "10.1.2.3", socket.gethostname()]
)
def test_addresses_and_own_names_reach_the_server(server: Server, host: str) -> None:
    assert server.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_one_host_is_named_and_no_more(server: Server) -> None:
    one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    assert " 200 " in raw(server, one).split("\r\n")[0]
    assert " 421 " in raw(server, one + "Host: evil.com\r\n").split("\r\n")[0]
    assert " 421 " in raw(server, "GET /healthz HTTP/1.1\r\n").split("\r\n")[0]


@pytest.mark.parametrize(("allowed", "status"), [("srez.example", 200), ("*", 200), ("other.example", 421)])
def test_names_can_be_allowed(tmp_path: Path, allowed: str, status: int) -> None:
    service = Service(Settings(state=tmp_path, page=Page.NONE, hosts=(allowed,)))
    assert ask(service, "GET", "/healthz", headers={"Host": "srez.example"}).status_code == status


@pytest.mark.parametrize(
    ("allowed", "status"), [(("*",), 200), (("https://a.example",), 200), (("https://b.example",), 403)]
)
def test_what_passes_the_preflight_passes_too(tmp_path: Path, allowed: tuple[str, ...], status: int) -> None:
    service = Service(Settings(state=tmp_path, page=Page.NONE, origins=allowed))
    origin = {"Origin": "https://a.example"}
    asked = ask(
        service, "OPTIONS", "/v1/upscale", headers={**origin, "Access-Control-Request-Method": "POST"}
    )
    assert asked.is_success == (status == 200)
    sent = {**origin, "Content-Type": "image/png"}
    assert ask(service, "POST", "/v1/upscale", content=FACE, headers=sent).status_code == status


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://", "null", "file:///a"])
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    with pytest.raises(OptionError, match="--allow-origin"):
        Settings(origins=(origin,))


@pytest.mark.parametrize("option", ["keep-hours", "max-wait", "max-seconds", "grace-seconds"])
@pytest.mark.parametrize("value", ["inf", "nan"])
def test_numbers_are_finite(option: str, value: str) -> None:
    done = CliRunner().invoke(app, ["serve", f"--{option}", value])
    assert done.exit_code == 2
    assert f"--{option}" in done.output + str(done.exception)


def test_what_a_proxy_may_say_anybody_may_say(server: Server) -> None:
    forwarded = {f"X-Forwarded-{name}": "evil.com" for name in ("Host", "Proto", "Prefix", "Server")}
    answer = server.http.get(PAGE_CONFIG, headers={**forwarded, "Forwarded": "host=evil.com"})
    assert answer.status_code == 200
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE"])
def test_every_answer_makes_browsers_careful(server: Server, method: str, path: str) -> None:
    answer = server.http.request(method, path)
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert not {"server", "x-powered-by", "access-control-allow-origin", "set-cookie"} & set(headers)
    assert answer.status_code < 500
    assert method != "TRACE" or answer.status_code in (404, 405)


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/openapi.json", "/nowhere"])
def test_answers_of_the_api_are_not_kept(server: Server, path: str) -> None:
    headers = server.http.get(path).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
