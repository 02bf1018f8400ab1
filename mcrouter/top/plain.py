"""Prints the view as text, for a pipe or for a terminal without curses."""

import sys
import time
from typing import Any, Dict, Optional, TextIO

from .fetch import FetchError, PageAddress, fetch
from .view import BAD, BOLD, GOOD, HEAD, PLAIN, SOFT, WARN, Line, whole

_SGR = {PLAIN: "", BOLD: "1", SOFT: "2", GOOD: "32", WARN: "33", BAD: "31", HEAD: "7"}
"""Select Graphic Rendition, of ECMA-48."""


def show(
    where: PageAddress, first: Dict[str, Any], interval: float, count: Optional[int], sort: str, is_coloured: bool
) -> None:
    """Prints the view of `first`, then further ones: `count` in all, or without an end if that is None."""
    facts: Optional[Dict[str, Any]] = first
    shown = 0
    while True:
        if facts is not None:
            print_view(facts, sort, is_coloured, sys.stdout)
        shown += 1
        if count is not None and shown >= count:
            return
        time.sleep(interval)
        try:
            facts = fetch(where, interval + 5.0)
            print(flush=True)
        except FetchError as error:
            facts = None
            print(f"mcrouter top: {error}; trying again", file=sys.stderr)


def print_view(facts: Dict[str, Any], sort: str, is_coloured: bool, out: TextIO) -> None:
    """Prints the view with all hosts."""
    is_utf8 = (out.encoding or "").lower().replace("-", "") == "utf8"
    for line in whole(facts, 10_000, sort, is_utf8):
        print(_coloured(line) if is_coloured else "".join(text for text, _ in line).rstrip(), file=out)
    out.flush()


def _coloured(line: Line) -> str:
    return "".join(f"\x1b[{_SGR[style]}m{text}\x1b[0m" if _SGR[style] else text for text, style in line)
