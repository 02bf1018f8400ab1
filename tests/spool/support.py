"""What the tests of the spool share: a delivery that remembers, and files as a router leaves them."""

from collections import Counter

from mcrouter.spool.entry import SpoolEntry, format_entry

HOUR = "20260801T10-1785578400"
OPENED = 1785579330
LATER = OPENED + 7200.0
HOST, OTHER = ("10.0.0.1", 11211), ("::1", 11212)


class Remembering:
    """A delivery that notes the keys it got; hosts in `down` take none, keys in `refused` are answered with errors."""

    def __init__(self):
        self.got = Counter()
        self.down = set()
        self.refused = set()

    def deliver(self, address, keys):
        done = [address not in self.down and key not in self.refused for key in keys]
        self.got.update((address, key) for key, fine in zip(keys, done) if fine)
        return done


def line(key, address=HOST):
    """A line as the router writes it."""
    return format_entry(SpoolEntry(float(OPENED), address, key, "A"), "east")


def leave(directory, *lines, name="p1-0", age=0):
    """A file that a router has left; its path."""
    (directory / HOUR).mkdir(exist_ok=True)
    path = directory / HOUR / f"20260801T101530-{OPENED - age}-mcrouter-east-{name}"
    path.write_bytes(b"".join(lines))
    return path
