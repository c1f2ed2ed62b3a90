"""What a server tells of itself: models, metrics, health, the log."""

from helpers import pictures
from helpers.serving import PNG, Server, png
from srez.models import box

FACE = png(pictures.portrait())


def test_models_metrics_and_health(server: Server) -> None:
    for query, status in (("", 200), ("?model=/tmp/a.onnx", 404)):
        answer = server.http.post("/v1/upscale" + query, content=FACE, headers=PNG)
        assert answer.status_code == status
    models = server.http.get("/v1/models").json()["models"]
    assert [model["name"] for model in models] == box.names()
    assert server.http.get("/healthz").json() == {"status": "ok"}
    assert server.http.get("/readyz").json() == {"status": "ready"}
    text = server.http.get("/metrics").text
    assert 'srez_requests_total{method="POST",route="/v1/upscale",status="200"}' in text
    assert "srez_batch_pictures_bucket" in text
    assert "/tmp/a.onnx" not in text


def test_the_log_has_request_ids_and_no_secrets(server: Server) -> None:
    server.http.post(
        "/v1/upscale", files={"file": ("secret-name.png", FACE)}, headers={"X-Request-ID": "look-1"}
    )
    assert [line["route"] for line in server.logged_of("look-1")] == ["/v1/upscale"]
    assert "secret-name" not in server.log.read_text()
    assert not [line for line in server.logged() if line["level"] == "error"]
