"""Formats numbers and times for people."""

import time
from typing import Optional

NONE = "-"
"""The text for an unknown value."""
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """Returns a span of time in its two largest units: `45 s`, `3 min 20 s`, `2 d 4 h`."""
    left = max(0, int(seconds))
    for place, (size, unit) in enumerate(_SPANS[:-1]):
        if left >= size:
            small, small_unit = _SPANS[place + 1]
            rest = left % size // small
            return f"{left // size} {unit}" + (f" {rest} {small_unit}" if rest else "")
    return f"{left} s"


def number(value: float) -> str:
    """Returns a count or a rate with about three digits: `0.4`, `57`, `1,234`, `12.3k`, `4.5M`."""
    if value >= 999_500:
        return f"{value / 1e6:.1f}M"
    if value >= 9_999.5:
        return f"{value / 1e3:.1f}k"
    if value >= 9.95 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.05 else "<0.1"


def share(part: Optional[float]) -> str:
    """Returns a share as percent; a very small one is not shown as 0, and almost all is not shown as 100."""
    if part is None:
        return NONE
    percent = 100 * part
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def ms(value: Optional[float]) -> str:
    """Returns milliseconds with two significant digits."""
    if value is None:
        return NONE
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def clock(at: float) -> str:
    """Returns a Unix time as local time of day, with the date if it is not today."""
    then, now = time.localtime(at), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d %H:%M:%S", then)
