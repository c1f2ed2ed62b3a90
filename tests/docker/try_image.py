"""Start the server of an unpacked image, as Docker would with `read_only: true`, and ask it for a face.

    python3 tests/docker/try_image.py ROOT "$(buildah inspect --type image IMAGE)"

Needs root. The tree is mounted read-only in a mount namespace of its own; /tmp and the volumes are in memory.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path

PORT = 8000
MOUNTS = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
for folder in tmp state models; do mount -t tmpfs -o mode=1777 tmpfs "$1/$folder"; done
mount --bind /dev "$1/dev"
mount -t proc proc "$1/proc"
shift
exec "$@"
"""


def face() -> bytes:
    """A 16x16 PNG."""
    rows = b"".join(
        b"\0" + bytes((16 * x, 16 * y, 128)[c] for x in range(16) for c in range(3)) for y in range(16)
    )
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def main() -> None:
    root, config = sys.argv[1], json.loads(sys.argv[2])["OCIv1"]["config"]
    user = config["User"]
    assert user not in ("", "0", "root"), "the image must not run as root"
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    command = [*config["Entrypoint"], *(config.get("Cmd") or []), "--port", str(PORT)]
    inside = ["chroot", f"--userspec={user}:{user}", root, "/usr/bin/env", "-i"]
    inside += [f"{name}={value}" for name, value in environment.items()]
    inside += [
        "sh",
        "-c",
        'cd "$0" && ! touch /srez/x 2>/dev/null && exec "$@"',
        config["WorkingDir"],
        *command,
    ]
    server = subprocess.Popen(["unshare", "--mount", "--fork", "sh", "-c", MOUNTS, "sh", root, *inside])
    try:
        wait_until_ready(server)
        request = urllib.request.Request(
            f"http://127.0.0.1:{PORT}/v1/upscale", face(), {"Content-Type": "image/png"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
            assert answer.headers["X-Srez-Size"] == "64x64"
        assert struct.unpack(">II", data[16:24]) == (64, 64)
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/page/", timeout=30) as answer:
            assert answer.status == 200
        owners = {path.stat().st_uid for path in Path("/proc").glob("[0-9]*") if is_server(path)}
        assert owners == {int(user)}, owners
        print(f"as user {user}, on a read-only tree: a 16x16 face became 64x64 ({len(data)} bytes)")
    finally:
        for path in Path("/proc").glob("[0-9]*"):
            if is_server(path) and is_below(int(path.name), server.pid):
                os.kill(int(path.name), signal.SIGTERM)
        server.wait(timeout=60)


def is_server(path: Path) -> bool:
    try:
        return b"/srez/bin/srez\0serve\0" in (path / "cmdline").read_bytes()
    except OSError:
        return False


def is_below(child: int, ancestor: int) -> bool:
    while child > 1:
        if child == ancestor:
            return True
        child = int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def wait_until_ready(server: subprocess.Popen) -> None:
    for _ in range(120):
        assert server.poll() is None, "the server has stopped"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server did not become ready")


if __name__ == "__main__":
    main()
