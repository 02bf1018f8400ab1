"""Whether a client still waits for an answer: what decides if a failed write may go on to another host."""

from collections import deque
from types import SimpleNamespace

import pytest

from mcrouter.engine.client import Client
from mcrouter.proto.requests import Request
from mcrouter.routes.base import part


@pytest.mark.parametrize(("queued", "reply", "expected"), [(True, None, True), (True, b"STORED\r\n", False), (False, None, False)])
def test_awaits(queued, reply, expected):
    whole, other = (Request(None, b"\4", b"set a 0 0 0\r\n\r\n") for _ in range(2))
    whole.reply = reply
    client = SimpleNamespace(queue=deque([other, whole] if queued else [other]))
    for request in (whole, part(whole, whole.kinds, whole.data), part(part(whole, whole.kinds, b""), whole.kinds, b"")):
        assert Client.awaits(client, request) is expected
