"""The page that upscales in the browser, served; `make test-web` tries it in one."""

import os
import re
import subprocess
import sys
from pathlib import Path

from helpers.serving import serving
from srez import __version__

ROOT = Path(__file__).parents[2]


def built(state: Path) -> Path:
    """A folder that looks like a page that was built."""
    folder = state / f"browser-{__version__}"
    (folder / "assets").mkdir(parents=True)
    (folder / "sw.js").write_text("worker")
    (folder / "index.html").write_text("page")
    (folder / "assets/code.js").write_text("code")
    return folder


def test_the_page_is_served_beside_the_api(tmp_path: Path) -> None:
    built(tmp_path / "state")
    with serving(tmp_path, "--page", "browser") as server:
        root = server.http.get("/")
        assert (root.status_code, root.headers["location"]) == (307, "/page/")
        page = server.http.get("/page/")
        assert page.text == "page"
        assert server.http.get("/page/sw.js").text == "worker"
        assert server.http.get("/page/assets/code.js").headers["content-type"].startswith("text/javascript")
        assert server.http.get("/page/../../jobs.db").status_code == 404
        assert server.http.get("/page/missing").json() == {"error": "there is no such route"}
        assert server.http.post("/page/").status_code == 405
        assert server.http.get("/readyz").status_code == 200


def test_its_policy_is_the_pages_own(tmp_path: Path) -> None:
    built(tmp_path / "state")
    worker = (ROOT / "web/src/sw.ts").read_text().partition("POLICY = [")[2].partition("]")[0]
    wanted = re.findall(r"^  \"(.*)\",$", worker, re.M)
    assert len(wanted) > 5
    with serving(tmp_path, "--page", "browser", SREZ_API_KEY="a key") as server:
        assert server.http.get("/page/").status_code == 401
        headers = server.http.get("/page/", headers={"X-API-Key": "a key"}).headers
        assert headers["content-security-policy"].split("; ") == wanted
        assert headers["cross-origin-embedder-policy"] == "require-corp"
        assert headers["cross-origin-opener-policy"] == "same-origin"


def test_without_node_a_sentence_says_where_the_page_must_be(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "srez", "serve", "--page", "browser", "--port", "0", "--state", "state"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(tmp_path / f"state/browser-{__version__}") in done.stderr.replace("\n", "")
    assert "Node" in done.stderr
    assert "Traceback" not in done.stderr
