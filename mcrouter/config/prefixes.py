"""Routing prefixes: `/region/cluster/` in front of a key says which route it takes (facebook/mcrouter's `routes`)."""

import re
from typing import Optional

from .errors import show

_PREFIX = re.compile(r"/[^/ \x00-\x1f]*/[^/ \x00-\x1f]*/")
_LONGEST = 200


def wrong_prefix(text: str) -> Optional[str]:
    """What is wrong with a routing prefix, None if nothing is."""
    if len(text) > _LONGEST or _PREFIX.fullmatch(text) is None:
        return f"{show(text)} is no routing prefix; write it as /region/cluster/"
    return None
