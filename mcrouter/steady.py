"""Unix time that never steps: the wall clock as it was when this process was started, and what has passed since.

The wall clock may be set, by hand or by NTP: a duration made of two looks at it would be wrong, or negative. Processes
that are forked from this one have the same time.
"""

import time

_AHEAD = time.time() - time.monotonic()


def unix_time() -> float:
    """Seconds since 1970; what has passed between two looks has really passed."""
    return _AHEAD + time.monotonic()
