"""How fast totals have grown. Nobody samples them: each time that somebody looks is a sample."""

import collections
from typing import Any, Deque, Mapping, Tuple

SPAN = 240.0  # seconds that a rate is the mean of, where somebody looked so long ago (facebook/mcrouter's window)
STEP = 10.0  # seconds between looks that are kept


class Growth:
    """What `totals` are more than they were `seconds` ago."""

    def __init__(self, seconds: float, before: Mapping[Any, float], totals: Mapping[Any, float]) -> None:
        self.seconds = seconds
        self._before = before
        self._totals = totals

    def of(self, key: Any) -> float:
        """By how much; of a total that has begun anew since, all of it."""
        total = self._totals[key]
        before = self._before.get(key, 0)
        return total - before if before <= total else total

    def rate(self, key: Any) -> float:
        """By how much a second."""
        return self.of(key) / self.seconds if self.seconds > 0 else 0.0


class Window:
    """Remembers looks at totals, which were all zero at first."""

    def __init__(self, started: float) -> None:
        self._looks: Deque[Tuple[float, Mapping[Any, float]]] = collections.deque([(started, {})])

    def growth(self, now: float, totals: Mapping[Any, float]) -> Growth:
        """Since the last look that is SPAN ago, else since the first."""
        looks = self._looks
        while len(looks) > 1 and looks[1][0] <= now - SPAN:
            looks.popleft()
        then, before = looks[0]
        if now - looks[-1][0] >= STEP:
            looks.append((now, totals))
        return Growth(now - then, before, totals)
