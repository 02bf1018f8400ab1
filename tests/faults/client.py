"""A scripted client: reads answer by answer, and stops, drips, vanishes or hangs up at the byte that a test names."""

import re
import socket
import struct

from tests.support.wire import Wire

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a RST
_SIZE = re.compile(rb"(?:VALUE [^ ]+ \d+|VA) (\d+)")


class Client(Wire):
    """A client of the router. `Wire` has its other ways: `send`, `finish` (the half-close), `read_to_close`."""

    def answer(self):
        """The next whole answer, whatever it is; up to the close when that comes first."""
        got = []
        while True:
            line = self.read_until(b"\n")
            got.append(line)
            size = _SIZE.match(line)
            if size:
                got.append(self.read_exactly(int(size[1]) + 2))
            if not line.startswith(b"VALUE "):
                return b"".join(got)

    def drip(self, data):
        """Byte by byte."""
        return self.send_split(data, range(len(data)))

    def cut(self):
        """Closes."""
        self.sock.close()

    def reset(self):
        """Closes with a RST: what it was answered and what it asked is thrown away."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()
