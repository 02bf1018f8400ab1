"""What holds for any config: only ConfigError escapes, backslashes keep any text, what is plain is not touched.

CASES in the environment sets how many are drawn.
"""

import json
import os
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcrouter.config import ConfigError, parse
from mcrouter.config.preprocess.builtins.table import BUILTINS
from mcrouter.config.preprocess.expander import expand
from mcrouter.config.syntax.tree import plain

from .expanding import FILES, PARAMS, load, value_of

DRAWN = int(os.environ.get("CASES", "600"))

PIECES = [
    *"@%(),\\ a5", "@m(", "@n", "%p%", "%hosts%", "%on%", "%num-proxies%", "%options%", "%key%", "%item%", "%value%", "%none%",
    "@int(1)", "@int(-1)", "@bool(1)", "@double(0.5)", *(f"@{name}(" for name in BUILTINS), *(f"@import({name})" for name in FILES),
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
BALANCED = TEXTS.map(lambda text: text + ")" * (text.count("(") - text.count(")")))
ATOMS = st.sampled_from([None, True, False, 0, 1, 2, -1, 1.5, "", "p", "%hosts%", "@m(1)"]) | BALANCED | TEXTS
WORDS = sorted({param.name for macro in BUILTINS.values() for param in macro.params} | {"vars", "name", "m", "a"})
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(WORDS) | TEXTS, inner, max_size=4)
    | st.builds(dict, st.dictionaries(st.sampled_from(WORDS), inner, max_size=6), type=st.sampled_from(["m", "macroDef", *BUILTINS]) | ATOMS)
    | st.sampled_from(sorted(BUILTINS)).flatmap(lambda name: call_of(name, inner)),
    max_leaves=12,
)


def call_of(name, inner):
    """A map that calls the built-in with all its arguments."""
    return st.fixed_dictionaries({"type": st.just(name), **{param.name: inner for param in BUILTINS[name].params}})


PLAIN = st.recursive(
    st.text("ab\\:", max_size=3) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)
DEFINITIONS = st.fixed_dictionaries(
    {"type": st.just("macroDef"), "result": VALUES},
    optional={"params": st.lists(st.sampled_from(["p", "q", {"name": "r", "default": "x"}, {"name": "s", "optional": True}]), max_size=3) | ATOMS},
)  # fmt: skip
CONFIGS = st.fixed_dictionaries(
    {"it": VALUES},
    optional={
        "macros": st.dictionaries(st.sampled_from(["m", "n"]), DEFINITIONS | VALUES, max_size=2) | VALUES,
        "consts": st.dictionaries(st.sampled_from(["c", "on"]), VALUES, max_size=2) | VALUES,
    },
)


@settings(max_examples=DRAWN, deadline=None)
@given(CONFIGS)
@example({"it": "%\\"})
@example({"it": "@\\"})
@example({"it": {"type": "slice", "dictionary": {"a": 1}, "from": "a", "to": "b"}})
def test_only_config_errors_escape(config):
    text = json.dumps(config, indent=1)
    try:
        made = expand(parse(text, "f"), "f", PARAMS, load)
    except ConfigError as error:
        assert "\n" not in str(error)
        lines = FILES.get(error.file, text).split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    else:
        json.dumps(plain(made))


@settings(max_examples=DRAWN // 3, deadline=None)
@given(st.text(max_size=12) | TEXTS)
def test_backslashes_keep_any_text(text):
    macros = {"same": {"type": "macroDef", "params": ["a"], "result": "%a%"}}
    assert value_of(json.dumps({"macros": macros, "it": re.sub(r"([@%\\])", r"\\\1", text)}))["it"] == text
    argument = re.sub(r"([@%\\(),]|\s)", r"\\\1", text)
    assert value_of(json.dumps({"macros": macros, "it": f"@same({argument})"}))["it"] == text


@settings(max_examples=DRAWN // 3, deadline=None)
@given(PLAIN)
def test_what_is_plain_is_not_touched(value):
    tree = parse(json.dumps(value), "f")
    assert expand(tree, "f", PARAMS, load) is tree
