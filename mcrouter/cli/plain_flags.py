"""Reads the plain flags of a command line, as services are started with, without argparse: to import it and to make
the parser would take a tenth of a start.

What is not plain (an unknown flag, an abbreviation, a missing value, --help) is left to argparse, which says what is
wrong. What is plain means the same to both; tests/test_flags.py holds them to it.
"""

from types import SimpleNamespace
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

from ..settings import SETTINGS, Setting


class _Flag(NamedTuple):
    setting: Setting
    value: Callable[[str], str]


def plain_flags(words: Sequence[str]) -> Optional[SimpleNamespace]:
    """Returns the values of the flags, by the names of their settings, as argparse does; None if it must be asked."""
    table, found = _table(), dict.fromkeys((setting.name for setting in SETTINGS), None)
    values: Dict[str, Any] = {**found, "demo": None, "validate_config": None}
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name not in table:
            return None
        setting, convert = table[name]
        if not setting.metavar:
            if equals:
                return None
            values[setting.name] = True
            continue
        if not equals:
            value = next(left, "")
        if not value or (value[0] == "-" and value != "-" and not equals):
            return None
        if setting.many:
            values[setting.name] = [*(values[setting.name] or ()), convert(value)]
        else:
            values[setting.name] = convert(value)
    return SimpleNamespace(**values)


def _table() -> Dict[str, _Flag]:
    table = {}
    for setting in SETTINGS:
        for name in (setting.short, setting.flag):
            table[name] = _Flag(setting, str)
        for alias in setting.aliases:
            for name in alias.flags:
                table[name] = _Flag(setting, alias.value)
    table.pop("", None)
    return table
