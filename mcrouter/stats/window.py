"""The growth of totals. There is no sampling by a timer: each reading of the statistics is a sample."""

import collections
from typing import Any, Deque, Mapping, Tuple

SPAN = 240.0  # seconds over which a rate is the mean, if there is a sample so old (facebook/mcrouter's window)
STEP = 10.0  # least seconds between samples that are kept


class Growth:
    """The growth of totals in the last `seconds`."""

    def __init__(self, seconds: float, before: Mapping[Any, float], totals: Mapping[Any, float]) -> None:
        self.seconds = seconds
        self._before = before
        self._totals = totals

    def of(self, key: Any) -> float:
        """Returns the growth of a total; the whole total, if it has restarted since."""
        total = self._totals[key]
        before = self._before.get(key, 0)
        return total - before if before <= total else total

    def rate(self, key: Any) -> float:
        """Returns the growth per second of a total."""
        return self.of(key) / self.seconds if self.seconds > 0 else 0.0


class Window:
    """Keeps samples of totals, which were all zero at the start."""

    def __init__(self, started: float) -> None:
        self._looks: Deque[Tuple[float, Mapping[Any, float]]] = collections.deque([(started, {})])

    def growth(self, now: float, totals: Mapping[Any, float]) -> Growth:
        """Returns the growth since the newest sample that is at least SPAN old, else since the first sample."""
        looks = self._looks
        while len(looks) > 1 and looks[1][0] <= now - SPAN:
            looks.popleft()
        then, before = looks[0]
        if now - looks[-1][0] >= STEP:
            looks.append((now, totals))
        return Growth(now - then, before, totals)
