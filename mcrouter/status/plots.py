"""Small plots as inline SVG: the last minutes from left to right, with a gap where there were no requests."""

from typing import Iterator, List, Optional, Sequence, Tuple

WIDTH, HEIGHT = 120, 24
_MARGIN = 2  # so that a line at the edge is as thick as elsewhere


def sparkline(values: Sequence[Optional[float]], points: int, least: float, said: str, kind: str = "") -> str:
    """Returns a plot of up to so many points; `said` describes it for screen readers.

    The scale goes from 0 to the largest value, but at least to `least`, so that tiny changes do not look important.
    """
    top = max([least, *(value for value in values if value is not None)])
    start = points - len(values)
    patterns = [_pattern(run, start, points, top) for run in _runs(values)]
    lines = "".join(line for line, _ in patterns)
    areas = "".join(area for _, area in patterns)
    return (
        f'<svg class="plot {kind}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{said}"><path class="area" d="{areas}"/><path class="line" d="{lines}"/></svg>'
    )


def _runs(values: Sequence[Optional[float]]) -> Iterator[List[Tuple[int, float]]]:
    """Yields lists of (place, value) of adjacent points."""
    run: List[Tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _pattern(run: List[Tuple[int, float]], start: int, points: int, top: float) -> Tuple[str, str]:
    """Returns the path of a line, and that of the area below it; a single point becomes a short line."""
    step = WIDTH / max(1, points - 1)
    at = [(round((start + place) * step, 1), _y(value, top)) for place, value in run]
    if len(at) == 1:
        at = [(max(0.0, at[0][0] - step / 2), at[0][1]), (min(float(WIDTH), at[0][0] + step / 2), at[0][1])]
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in at)
    return line, f"{line}L{at[-1][0]:g} {HEIGHT}L{at[0][0]:g} {HEIGHT}Z"


def _y(value: float, top: float) -> float:
    return round(HEIGHT - _MARGIN - (HEIGHT - 2 * _MARGIN) * value / top, 1)
