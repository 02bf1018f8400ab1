"""Every node of every valid config says where it stands in the text: what is written there is what the node holds."""

from pathlib import Path

import pytest

from mcrouter.config import parse
from mcrouter.config.syntax.text import to_text
from mcrouter.config.syntax.tree import Map, Scalar, Seq

VALID = Path(__file__).parent / "valid"
TEXTS = {path.name: to_text(path.read_bytes(), "f") for path in sorted(VALID.iterdir())}


def nodes(node):
    """A node and all that are in it, keys too."""
    yield node
    if isinstance(node, Map):
        for entry in node.entries:
            yield from nodes(entry.key)
            yield from nodes(entry.value)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from nodes(item)


def is_written(node, there):
    """Whether `there`, the rest of the line from a node's position on, is how such a node begins."""
    if isinstance(node, Map):
        first = node.entries[0].key if node.entries else None
        return there.startswith("{") or (first is not None and (first.line, first.column) == (node.line, node.column))
    if isinstance(node, Seq):
        return there.startswith(("[", "-"))
    if isinstance(node.value, str):
        return there.startswith(('"', "'", "|", ">")) or (node.value != "" and there.startswith(node.value.split()[0]))
    if node.value is None:
        return there == "" or there.startswith((" ", "~", "n", "N", "#", ",", "}", "]"))
    word = there.split(",")[0].split("}")[0].split("]")[0].split(" ")[0].split("\t")[0].split(":")[0].split("/")[0]
    return isinstance(node, Scalar) and repr(parse(word, "f")) == repr(node._replace(line=1, column=1))


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_node_holds_stands_where_it_says(name):
    lines = TEXTS[name].split("\n")
    for node in nodes(parse(TEXTS[name], "f")):
        assert is_written(node, lines[node.line - 1][node.column - 1 :]), node
