"""The names under which a server answers, so that no page can reach it under a name of its own.

A page of evil.example may let that name lead to 127.0.0.1 once it is loaded ("DNS rebinding"); the browser
then takes the server's answers for those of evil.example. It still sends that name as `Host`. Addresses are
safe: for a page to be loaded from one, it must be served there.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable

from srez.serve.errors import HttpError
from srez.serve.limits import ANY, Settings

_HOST = re.compile(r"[\w.-]+(:\d*)?|\[[\da-fA-F.:]+\](:\d*)?", re.ASCII)


class Hosts:
    """The hosts that requests may name: addresses, localhost, the machine's own name, and those allowed."""

    def __init__(self, settings: Settings) -> None:
        """Allow what settings do."""
        self._any = ANY in settings.hosts
        own = ("localhost", socket.gethostname(), settings.host)
        self._names = {name.lower() for name in (*own, *settings.hosts)}

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Refuse a request for another host, for several, or for none.

        Args:
            headers: of the request, with names in lower case.

        Raises:
            HttpError: 421.
        """
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not (self._any or self._is_ours(hosts[0])):
            raise HttpError(421, "this server does not answer under this name (--allow-host)")

    def _is_ours(self, host: str) -> bool:
        if not _HOST.fullmatch(host):
            return False
        name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0]
        name = name.lower().removesuffix(".")
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
