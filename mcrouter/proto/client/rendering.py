"""How a client sees a reply, where that differs from the host's reply.

`noreply` and quiet flags never reach a host: the host's answer is hidden here. A base64 key may stand for any bytes,
line ends included, and memcached 1.6.18 writes some of them raw into its reply; so no host is asked to repeat one
(`k`): the router writes it into the reply itself.
"""

from typing import Any, NamedTuple

# Replies in which memcached repeats a key: all of the meta commands but errors, MN and ME.
_NAMING = frozenset((b"HD", b"VA", b"EN", b"NF", b"NS", b"EX"))


class Rendering(NamedTuple):
    """What is done to a reply. `hidden` holds the outcome codes whose reply the client must not see. `key` is what
    stands for the key among the returned flags, ` kKEY b`; `before` has the letters of the flags that the request named
    before `k`."""

    hidden: bytes = b""
    key: bytes = b""
    before: bytes = b""

    def shown(self, reply: Any, outcomes: bytes) -> Any:
        """Returns what the client sees of a whole reply: bytes for bytes or a memoryview, for a list of pieces a
        list."""
        if outcomes in self.hidden:
            return b""
        if not self.key:
            return reply
        if type(reply) is not list:
            return self.with_key(bytes(reply))
        first = bytes(reply[0])
        return [self.with_key(first), *reply[1:]] if b"\r\n" in first else [self.with_key(b"".join(reply))]

    def with_key(self, head: bytes) -> bytes:
        """The beginning of a reply, its first line all there, with the key where memcached has it: returned flags stand
        in the order of the request's."""
        if not self.key or head[:2] not in _NAMING or head[2:3] not in (b" ", b"\r"):
            return head
        words = head[: head.index(b"\r\n")].split(b" ")
        first = 2 if words[0] == b"VA" else 1
        earlier = [at for at in range(first, len(words)) if words[at] and words[at][0] in self.before]
        place = earlier[-1] + 1 if earlier else first
        end = len(b" ".join(words[:place]))
        return head[:end] + self.key + head[end:]
