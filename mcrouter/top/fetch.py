"""The status of a running router, over HTTP."""

import http.client
import json
import re
from typing import Any, Dict, NamedTuple

from ..printable import printable
from .shape import fits

_ADDRESS = re.compile(r"(?:http://)?(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/\s]*)(?::(?P<port>[0-9]{1,5}))?/?")
_PORT = 9090
_MOST_BYTES = 1 << 26  # of an answer


class FetchError(Exception):
    """The router does not say how it is; the message says why, in one line."""


class Address(NamedTuple):
    """Where a router shows its metrics."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(text: str) -> Address:
    """HOST:PORT, :PORT, PORT, HOST or http://HOST:PORT; raises ValueError."""
    if re.fullmatch("[0-9]{1,5}", text):
        text = f":{text}"
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"] or _PORT) not in range(1, 65536):
        raise ValueError("HOST:PORT, or :PORT for this machine: where the router shows its metrics")
    return Address(match["host"].strip("[]") or "localhost", int(match["port"] or _PORT))


def fetch(where: Address, timeout: float) -> Dict[str, Any]:
    """What is at /status.json; raises FetchError after so many seconds."""
    connection = http.client.HTTPConnection(where.host, where.port, timeout=timeout)
    try:
        connection.request("GET", "/status.json")
        answer = connection.getresponse()
        data = answer.read(_MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise FetchError(f"{where}: {printable(reason)}; give the address of a router's metrics") from None
    finally:
        connection.close()
    try:
        facts: Dict[str, Any] = json.loads(data) if answer.status == 200 else {}
    except (RecursionError, ValueError):
        facts = {}
    if not fits(facts):
        raise FetchError(f"{where} is no router of this kind, or an older one; give the address of a router's metrics")
    return facts
