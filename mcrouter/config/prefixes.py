"""Routing prefixes: `/region/cluster/` before a key selects its route (facebook/mcrouter's `routes`)."""

import re
from typing import Optional

from .errors import show

_PREFIX = re.compile(r"/[^/ \x00-\x1f]*/[^/ \x00-\x1f]*/")
_LONGEST = 200


def wrong_prefix(text: str) -> Optional[str]:
    """Returns what is wrong with a routing prefix; None if it is valid."""
    if len(text) > _LONGEST or _PREFIX.fullmatch(text) is None:
        return f"{show(text)} is not a routing prefix; write it as /region/cluster/"
    return None
