"""Unix time that never jumps: the wall clock at the start of this process plus the time that has passed since.

The wall clock may be set, by hand or by NTP; the difference of two readings would then be wrong, or negative. Processes
that are forked from this one have the same time.
"""

import time

_AHEAD = time.time() - time.monotonic()


def unix_time() -> float:
    """Returns the seconds since 1970; the difference of two readings is always the time that has really passed."""
    return _AHEAD + time.monotonic()
