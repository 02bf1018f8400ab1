"""Shows the view on a terminal (curses), refreshes it, and obeys keys."""

import curses
import threading
import time
from typing import Any, Dict, List, Optional

from .fetch import FetchError, PageAddress, fetch
from .view import BAD, BOLD, GOOD, HEAD, SOFT, SORTS, WARN, Line, lines

_KEYS = "q quit   s sort   p pause   up, down, page keys scroll   ? keys"
_TICK = 100  # ms between checks for keys


class Feed:
    """Fetches the facts in a thread of its own, so that keys have an effect meanwhile."""

    def __init__(self, where: PageAddress, interval: float, first: Dict[str, Any]) -> None:
        self.where, self.interval = where, interval
        self.facts, self.error = first, ""
        self.paused = False
        threading.Thread(target=self._run, name="mcrouter-top", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(self.interval)
            if self.paused:
                continue
            try:
                self.facts, self.error = fetch(self.where, self.interval + 5.0), ""
            except FetchError as error:
                self.error = f"{error}; trying again"


class Screen:
    """The screen, with all that keys can change: the order, where the list begins, whether the keys are listed."""

    def __init__(self, window: Any, feed: Feed, sort: str, is_coloured: bool, is_utf8: bool) -> None:
        self._window, self._feed = window, feed
        self._sort, self._is_utf8 = sort, is_utf8
        self._first = 0
        self._help = False
        self._styles = _styles(is_coloured)
        self._drawn: Any = None

    def run(self) -> None:
        """Runs until the key q is pressed."""
        self._window.timeout(_TICK)
        while True:
            self._draw()
            key = self._window.getch()
            if key == ord("q"):
                return
            if key != curses.ERR:
                self._obey(key)

    def _obey(self, key: int) -> None:
        height = self._window.getmaxyx()[0]
        steps = {curses.KEY_UP: -1, curses.KEY_DOWN: 1, curses.KEY_PPAGE: -height // 2, curses.KEY_NPAGE: height // 2}
        if key in steps:
            most = max(0, len(self._feed.facts["hosts"]) - 1)
            self._first = max(0, min(most, self._first + steps[key]))
        elif key == ord("s"):
            names = list(SORTS)
            self._sort = names[(names.index(self._sort) + 1) % len(names)]
        elif key == ord("p"):
            self._feed.paused = not self._feed.paused
        elif key == ord("?"):
            self._help = not self._help
        self._drawn = None

    def _draw(self) -> None:
        height, width = self._window.getmaxyx()
        now = (self._feed.facts["now"], self._feed.error, height, width)
        if now == self._drawn:
            return
        self._drawn = now
        self._window.erase()
        for row, line in enumerate(lines(self._feed.facts, width, height - 1, self._sort, self._first, self._is_utf8)):
            self._put(row, line)
        self._put(height - 1, [self._foot()])
        self._window.refresh()

    def _foot(self) -> "tuple[str, int]":
        if self._feed.error:
            return self._feed.error, BAD
        if self._help:
            return _KEYS, BOLD
        paused = "paused, " if self._feed.paused else ""
        return f"{paused}sorted by {self._sort}, ? for keys", SOFT

    def _put(self, row: int, line: Line) -> None:
        column, width = 0, self._window.getmaxyx()[1]
        for text, style in line:
            text = text[: max(0, width - column - 1)]  # curses cannot write the last place of a screen
            try:
                self._window.addstr(row, column, text, self._styles[style])
            except curses.error:
                return  # the terminal has just become smaller
            column += len(text)


def _styles(is_coloured: bool) -> List[int]:
    styles = {BOLD: curses.A_BOLD, SOFT: curses.A_DIM, BAD: curses.A_BOLD, HEAD: curses.A_REVERSE}
    if is_coloured and curses.has_colors():
        curses.use_default_colors()
        for number, (style, colour) in enumerate(
            ((GOOD, curses.COLOR_GREEN), (WARN, curses.COLOR_YELLOW), (BAD, curses.COLOR_RED)), 1
        ):
            curses.init_pair(number, colour, -1)
            styles[style] = styles.get(style, 0) | curses.color_pair(number)
    return [styles.get(style, 0) for style in range(HEAD + 1)]


def show(
    where: PageAddress, first: Dict[str, Any], interval: float, sort: str, is_coloured: bool, is_utf8: bool
) -> Optional[int]:
    """Shows the view until the key q is pressed."""

    def run(window: Any) -> None:
        try:
            curses.curs_set(0)
        except curses.error:
            pass  # a terminal that cannot hide its cursor
        Screen(window, Feed(where, interval, first), sort, is_coloured, is_utf8).run()

    curses.wrapper(run)
    return None
