"""Whether a client still waits for an answer: what decides if a failed write may go on to another host."""

from collections import deque
from types import SimpleNamespace

import pytest

from mcrouter.engine.clients.connection import ClientConnection
from mcrouter.proto.request import Request
from mcrouter.routes.framework.base import part
from tests.routes.script import request


@pytest.mark.parametrize(("queued", "reply", "expected"), [(True, None, True), (True, b"STORED\r\n", False), (False, None, False)])
def test_awaits(queued, reply, expected):
    whole, other = (Request(None, b"\4", b"set a 0 0 0\r\n\r\n") for _ in range(2))
    whole.reply = reply
    client = SimpleNamespace(queue=deque([other, whole] if queued else [other]))
    for made in (whole, part(whole, whole.commands, whole.data), part(part(whole, whole.commands, b""), whole.commands, b"")):
        assert ClientConnection.awaits(client, made) is expected


@pytest.mark.parametrize(("earlier", "later", "waits"), [
    (b"get foo\r\n", b"set foo 0 0 1\r\nx\r\n", True), (b"get foo\r\n", b"set bar 0 0 1\r\nx\r\n", False),
    (b"mg Zm9v b v\r\n", b"set foo 0 0 1\r\nx\r\n", True), (b"get foo\r\n", b"ms Zm9v 1 bx\r\nx\r\n", True),
    (b"mg Zm9v v\r\n", b"set foo 0 0 1\r\nx\r\n", False), (b"get foo\r\n", b"mg Zm9v b v\r\n", False),
])  # fmt: skip
def test_a_write_waits_for_a_read_of_the_same_item_however_its_key_is_written(earlier, later, waits):
    routes_by_command = [SimpleNamespace(may_ask_another_host=True)] * 30
    client = SimpleNamespace(queue=deque([request(earlier)]), frontend=SimpleNamespace(routes_by_command=routes_by_command))
    assert ClientConnection.must_wait(client, request(later)) is waits
