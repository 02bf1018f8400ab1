"""Reads the YAML of tools/deploy with the router's own reader, which knows no block scalars: they become quoted texts."""

import json
import re
import textwrap
from typing import Any, List

from mcrouter.config import parse
from mcrouter.config.syntax.tree import plain
from tests.support.processes import ROOT

DEPLOY = ROOT / "tools" / "deploy"

_BLOCK = re.compile(r"^( *)(\S.*): \|\n((?:\1 +.*\n|\n)+)", re.M)


def documents(name: str) -> List[Any]:
    """The documents of a file, as plain values."""
    text = (DEPLOY / name).read_text()
    flat = _BLOCK.sub(lambda match: f"{match[1]}{match[2]}: {json.dumps(textwrap.dedent(match[3]))}\n", text)
    return [plain(parse(one, name)) for one in re.split(r"^---\n", flat, flags=re.M)]


def of_kind(name: str, kind: str) -> Any:
    """The one manifest of that kind."""
    (found,) = [one for one in documents(name) if one["kind"] == kind]
    return found
