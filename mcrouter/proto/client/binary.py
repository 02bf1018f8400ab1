"""The binary protocol, which is not spoken: its clients are told so in their own words, so that none waits for nothing.

A request begins with 24 bytes (memcached's doc/protocol-binary.xml); as text it would be a line that may never end.
"""

import struct
from typing import Optional

_HEADER = struct.Struct("!BBHBBHLLQ")  # magic, opcode, lengths of key and extras, data type, vbucket, body, opaque, cas
REQUEST = b"\x80"  # what a request begins with
_RESPONSE = 0x81
_UNKNOWN_COMMAND = 0x81  # a status
_MOST_EXTRAS = 20  # bytes: those of incr
_SAID = b"the binary protocol is not spoken here; set the client to the text protocol (ascii) or to meta commands"


def refusal(data: bytes, at: int) -> Optional[bytes]:
    """The error that answers the binary request at `at`, where a REQUEST's first byte is; None where it is none, or not
    all its header is there."""
    if len(data) - at < _HEADER.size:
        return None
    _, opcode, key, extras, kind, _, body, opaque, _ = _HEADER.unpack_from(data, at)
    if kind or extras > _MOST_EXTRAS or key + extras > body:
        return None
    return _HEADER.pack(_RESPONSE, opcode, 0, 0, 0, _UNKNOWN_COMMAND, len(_SAID), opaque, 0) + _SAID
