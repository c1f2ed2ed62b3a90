"""Who may call: keys and origins."""

from pathlib import Path

import httpx

from helpers import pictures
from helpers.serving import PNG, Server, in_process, png, serving
from srez.serve.limits import Page, Settings
from srez.serve.service import Service

FACE = png(pictures.portrait())


def test_the_key_opens_every_route_and_nothing_else_does(tmp_path: Path) -> None:
    with serving(tmp_path, SREZ_API_KEY="a key") as locked:
        schema = locked.http.get("/openapi.json", headers={"X-API-Key": "a key"}).json()
        assert {way["type"] for way in schema["components"]["securitySchemes"].values()} == {"apiKey", "http"}
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                is_open = path in ("/healthz", "/readyz")
                assert ("401" in operation["responses"], "security" in operation) == (not is_open,) * 2
        paths = [*schema["paths"], "/openapi.json", "/", "/page/", "/page/config", "/favicon.ico", "/nowhere"]
        paths.append("/page/gradio_api/upload")
        for path in paths:
            for method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"):
                answer = locked.http.request(method, path)
                is_open = path in ("/healthz", "/readyz")
                assert (answer.status_code == 401) != is_open, (method, path)
                if not is_open:
                    assert "Basic" in answer.headers["WWW-Authenticate"]
        for headers in ({"X-API-Key": "a key"}, {"Authorization": "Bearer a key"}):
            assert locked.http.get("/v1/models", headers=headers).status_code == 200
        assert locked.http.get("/page/", auth=("anybody", "a key")).status_code == 200
        for wrong in ({"X-API-Key": "a ke"}, {"Authorization": "Bearer"}, {"Authorization": "Basic %%%"}):
            assert locked.http.get("/v1/models", headers=wrong).status_code == 401
        assert "a key" not in locked.log.read_text()


def test_pages_of_other_sites_are_turned_away(server: Server) -> None:
    for origin in ("https://elsewhere.example", "null", "http://["):
        answer = server.http.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert answer.status_code == 403
    own = {**PNG, "Origin": f"http://127.0.0.1:{server.port}"}
    assert server.http.post("/v1/upscale", content=FACE, headers=own).status_code == 200


def test_origins_that_are_allowed_may_call(tmp_path: Path) -> None:
    origin = "https://app.example"

    async def talk(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/upscale", content=FACE, headers={**PNG, "Origin": origin})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, origin)
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert (await client.options("/v1/upscale", headers=asked)).status_code == 200

    in_process(Service(Settings(state=tmp_path, page=Page.NONE, origins=(origin,))), talk)
