"""What the log makes of what others write."""

import json
import subprocess
import sys

WRITES = """
import os, sys
from srez.serve.observe import logs
with logs.writing():
    os.write(2, b"from a library in C\\n")
    print("from a library in Python", file=sys.stderr)
    os.system("echo from a child >&2")
    os.write(2, b"x" * 1_000_000)  # more than a pipe holds: nobody may wait
    logs.event("ours", number=1)
print("after all", file=sys.stderr)
"""


def test_what_is_written_to_standard_error_by_any_way_becomes_lines_of_the_log() -> None:
    done = subprocess.run([sys.executable, "-c", WRITES], capture_output=True, text=True, check=True)
    *lines, last = done.stderr.splitlines()
    assert last == "after all"
    found = [json.loads(line) for line in lines]
    texts = {line["text"] for line in found if line["event"] == "printed"}
    assert {"from a library in C", "from a library in Python", "from a child"} <= texts
    assert [line["number"] for line in found if line["event"] == "ours"] == [1]
