"""Two styles of error lines: memcached's, and facebook/mcrouter's for clients that know its wording.

| what                     | memcached                                 | mcrouter                                      |
| a line that is no command | memcached's own answer                   | CLIENT_ERROR malformed request, and closes    |
| a key of over 250 bytes  | CLIENT_ERROR bad command line format      | CLIENT_ERROR bad key                          |
| no answer in time        | SERVER_ERROR mcrouter: HOST: no reply ... | SERVER_ERROR Reply timeout                    |
| the connection broke     | SERVER_ERROR mcrouter: HOST: WHY          | SERVER_ERROR Connection closed by the server. |
| cannot connect           | SERVER_ERROR mcrouter: HOST: WHY          | SERVER_ERROR Failed to connect. WHY           |
| the host is unhealthy    | SERVER_ERROR mcrouter: HOST: ...          | SERVER_ERROR Server unavailable. Reason: WHY  |

Where the connection stays open, the data of a store that is refused is swallowed, in both styles.
"""

from typing import Tuple

from . import outcomes as o

_LONGEST_KEY = 250


class Memcached:
    """The answers that memcached itself gives, and errors of ours that say which host and why."""

    name = "memcached"

    def refusal(self, line: bytes, answer: bytes) -> Tuple[bytes, bool]:
        """Returns what a line gets that memcached would answer with `answer`, and whether the connection is closed."""
        return answer, False

    def failure(self, host: str, code: bytes, why: str) -> bytes:
        """Returns what a command gets that ended with that outcome of ours."""
        return f"SERVER_ERROR mcrouter: {host}: {why}\r\n".encode(errors="replace")

    def unhealthy(self, host: str, hard: bool = True) -> bytes:
        """Returns what a command gets whose host is known to be unhealthy; `hard`: it cannot be connected to."""
        return f"SERVER_ERROR mcrouter: {host}: it is unhealthy\r\n".encode(errors="replace")


class Mcrouter(Memcached):
    """facebook/mcrouter's wording."""

    name = "mcrouter"

    def refusal(self, line: bytes, answer: bytes) -> Tuple[bytes, bool]:
        """Its parser gives up at what it does not know; a bad key it only refuses."""
        if not answer.startswith((b"ERROR", b"CLIENT_ERROR")):
            return answer, False
        if any(len(word) > _LONGEST_KEY for word in line.split()[1:]):
            return b"CLIENT_ERROR bad key\r\n", False
        return b"CLIENT_ERROR malformed request\r\n", True

    def failure(self, host: str, code: bytes, why: str) -> bytes:
        """As its client library says it."""
        if code == o.TIMEOUT:
            return b"SERVER_ERROR Reply timeout\r\n"
        if code == o.LOST:
            return b"SERVER_ERROR Connection closed by the server.\r\n"
        return f"SERVER_ERROR Failed to connect. {why}\r\n".encode(errors="replace")

    def unhealthy(self, host: str, hard: bool = True) -> bytes:
        """With the result that took the host out."""
        reason = b"mc_res_connect_error" if hard else b"mc_res_timeout"
        return b"SERVER_ERROR Server unavailable. Reason: %b\r\n" % reason


STYLES = {style.name: style for style in (Memcached(), Mcrouter())}
MEMCACHED = STYLES["memcached"]
