"""The README's Policy cookbook, taken apart: each recipe's config, flags, tables and statements."""

import shlex
from typing import Dict, Iterator, List, NamedTuple, Tuple

from .readme import README

SECTION = "\n## Policy cookbook\n"


class Row(NamedTuple):
    """One cell of a table: when what is so, the words of a command, and what then happens (empty: it is not said)."""

    when: str
    command: str
    happens: str


class Recipe(NamedTuple):
    """`statements` are the list under the tables."""

    title: str
    flags: Tuple[str, ...]
    config: str
    rows: Tuple[Row, ...]
    statements: Tuple[str, ...]


def recipes() -> List[Recipe]:
    """Those of the README, in its order."""
    section = README.split(SECTION)[1].split("\n## ")[0]
    return [_recipe(*part.split("\n", 1)) for part in section.split("\n### ")[1:]]


def _recipe(title: str, text: str) -> Recipe:
    lines = text.splitlines()
    flags = [word for line in lines if line.startswith("Flags: `") for word in shlex.split(line.split("`")[1])]
    config = "\n".join(line[4:] for line in lines if line.startswith("    "))
    return Recipe(title, tuple(flags), config, tuple(_rows(lines)), tuple(_statements(lines)))


def _rows(lines: List[str]) -> Iterator[Row]:
    commands: List[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells[:1] == ["when"]:
            commands = [cell.strip("`") for cell in cells[1:]]
        elif cells and set(cells[0]) != {"-"}:
            assert len(cells) == len(commands) + 1, line
            yield from (Row(cells[0], *pair) for pair in zip(commands, cells[1:]))


def _statements(lines: List[str]) -> Iterator[str]:
    found: List[str] = []
    for line in lines:
        if line.startswith("- "):
            found.append(line[2:])
        elif line.startswith("  ") and found and not line.startswith("    "):
            found[-1] += " " + line.strip()
    yield from found


def host_condition(when: str, hosts: List[str], ways: Dict[str, str]) -> Tuple[Dict[str, str], float]:
    """How hosts fare by the words of a table, and the minutes since `start_time`; raises ValueError for other words.

    `all are well`, or, with commas between: HOST WAY, `all` WAY, `N min before|after start_time`.
    """
    found: Dict[str, str] = {}
    minutes = 0.0
    for clause in when.split(", "):
        name, _, way = clause.partition(" ")
        if name == "all" and way != "are well":
            found.update(dict.fromkeys(hosts, ways[{"are dead": "is dead", "hang": "hangs", "miss": "misses"}[way]]))
        elif name in hosts:
            found[name] = ways[way]
        elif clause.endswith(" start_time"):
            count, _min, side, _ = clause.split(" ")
            minutes = float(count) * {"before": -1, "after": 1}[side]
        elif clause != "all are well":
            raise ValueError(f"{when!r}: say {', '.join(ways)} of one of {', '.join(hosts)}")
    return found, minutes
