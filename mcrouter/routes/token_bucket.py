"""A token bucket: what happens at most so often, and for a while more often."""


class TokenBucket:
    """Fills by `rate` tokens in each unit of whatever `now` counts (seconds, or requests), up to `burst`. It is full
    at first: a limit that has not been used for long lets a burst pass."""

    __slots__ = ("_burst", "_rate", "_then", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._then = now
        self._tokens = burst

    def take(self, now: float, count: float = 1) -> bool:
        """Takes `count` tokens, all or none; False if there are fewer."""
        if now > self._then:
            self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
            self._then = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
