"""A token bucket: limits how often something happens, but allows bursts."""


class TokenBucket:
    """A bucket that gains `rate` tokens per unit of `now` (seconds, or requests), up to `burst` tokens.

    It starts full: a limit that has long not been used lets a burst pass.
    """

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._then = now
        self._tokens = burst

    def take(self, now: float, count: float = 1) -> bool:
        """Takes `count` tokens and returns True; takes none and returns False if there are fewer."""
        if now > self._then:
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
            self._then = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
