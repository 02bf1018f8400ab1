"""The two styles of error lines: the table of styles.py."""

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.styles import STYLES

LONG = b"k" * 251
FAILURES = [
    (o.TIMEOUT, b"Reply timeout"), (o.LOST, b"Connection closed by the server."), (o.UNAVAILABLE, b"Failed to connect. why"),
]  # fmt: skip
REFUSALS = [
    (b"bogus", b"ERROR\r\n", b"CLIENT_ERROR malformed request\r\n", True),
    (b"set a b c", b"CLIENT_ERROR bad command line format\r\n", b"CLIENT_ERROR malformed request\r\n", True),
    (b"get " + LONG, b"CLIENT_ERROR bad command line format\r\n", b"CLIENT_ERROR bad key\r\n", False),
    (b"get a " + LONG, b"CLIENT_ERROR bad command line format\r\n", b"CLIENT_ERROR bad key\r\n", False),
    (b"get a " + LONG[:250], b"CLIENT_ERROR bad command line format\r\n", b"CLIENT_ERROR malformed request\r\n", True),
    (LONG + b" a", b"ERROR\r\n", b"CLIENT_ERROR malformed request\r\n", True),
    (b"version", b"VERSION 1\r\n", b"VERSION 1\r\n", False),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text"), FAILURES)
def test_what_a_command_gets_that_has_failed(code, text):
    assert STYLES["memcached"].failure("a:1", code, "why") == b"SERVER_ERROR mcrouter: a:1: why\r\n"
    assert STYLES["mcrouter"].failure("a:1", code, "why") == b"SERVER_ERROR %b\r\n" % text


@pytest.mark.parametrize(("hard", "reason"), [(True, b"mc_res_connect_error"), (False, b"mc_res_timeout")])
def test_what_a_command_gets_whose_host_is_unhealthy(hard, reason):
    assert STYLES["memcached"].unhealthy("a:1", hard) == b"SERVER_ERROR mcrouter: a:1: it is unhealthy\r\n"
    assert STYLES["mcrouter"].unhealthy("a:1", hard) == b"SERVER_ERROR Server unavailable. Reason: %b\r\n" % reason


@pytest.mark.parametrize(("line", "answer", "expected", "closes"), REFUSALS)
def test_what_a_line_gets_that_is_refused(line, answer, expected, closes):
    assert STYLES["memcached"].refusal(line, answer) == (answer, False)
    assert STYLES["mcrouter"].refusal(line, answer) == (expected, closes)
