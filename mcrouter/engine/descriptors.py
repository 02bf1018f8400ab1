"""File descriptors that are kept for hosts and for the metrics: clients must not use up what all depend on.

However many clients wait, a host that was restarted must be connected to again, and the metrics must be served. The
kernel gives the lowest number that is free (POSIX), so the number of the newest descriptor says how many there are.
"""

import os

try:
    import resource
except ImportError:  # not a Unix: there is no such limit
    resource = None  # type: ignore[assignment]

_UNLIMITED = 1 << 30
_OWN = 32  # for scrapes, reloads, name resolution, the log
_LEAST = 0.5  # of all descriptors may clients have, at the least


def most_for_clients(hosts: int, connections: int) -> int:
    """Returns the number from which on a descriptor is not for clients, for so many hosts and connections to each."""
    most = _UNLIMITED if resource is None else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if not 0 <= most < _UNLIMITED:
        return _UNLIMITED
    return max(int(most * _LEAST), most - hosts * (connections + 2) - _OWN)


def lowest_free(fd: int) -> int:
    """Returns the number that the next descriptor will have; `fd` is any that is open. Raises OSError when none is
    left."""
    free = os.dup(fd)
    os.close(free)
    return free
