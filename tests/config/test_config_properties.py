"""What holds for any text: only ConfigError escapes, JSON is read alike by both parsers and by Python's own."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcrouter.config import ConfigError, load_config, parse
from mcrouter.config.syntax import json as json_parser
from mcrouter.config.syntax import yaml as yaml_parser
from mcrouter.config.syntax.text import to_text
from mcrouter.config.syntax.tree import plain

PIECES = [
    *"abk01-?:,[]{}#&*!|>'\"%@`~<.\\/ \t\n", "\n  ", "\n    ", "\n\n", ": ", "- ", " #", "k: ", "- a\n", "k:\n", "'x'", '"x"',
    "''", "\\n", "\\x41", "\\ud83d", "\\ude00", "---", "\n---\n", "\n...\n", "|2\n", ">-\n", "// c\n", "/* ", "*/", "<<: ",
    "0x1F", "-1.5e3", ".inf", "true", "null", "\r\n", "\r", "\ufeff", "\u2028", "\x85", "é",
    "orderedPool", "route", "type", "operationPolicies", "DefaultRoute", "[::1]:1", "unix:///x", "get",
]  # fmt: skip
LIKELY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
ANY = st.one_of(LIKELY, st.text(max_size=40), st.builds(lambda a, b: f"{a}\n{b}", LIKELY, LIKELY))

# A float that is not finite is no JSON; numbers of more than 300 digits are refused.
ATOMS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    ATOMS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
LAYOUTS = ({}, {"indent": 2}, {"indent": 0}, {"separators": (",", ":")}, {"indent": "\t"})


def outcome(read, text):
    """The tree or the error, as something to compare; anything but ConfigError escapes."""
    try:
        return repr(read(text))
    except ConfigError as error:
        assert error.file == "f"
        lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert "; " in error.message
        assert "\n" not in str(error)
        return str(error)


@settings(max_examples=1500, deadline=None)
@given(ANY)
@example("a: |")
@example("- |+\n\n")
@example('"\\')
@example("---")
@example("a: 'b\n")
def test_only_config_errors_escape(text):
    for parser in (yaml_parser, json_parser):
        outcome(lambda text, parser=parser: parser.parse(to_text(text, "f"), "f"), text)


@settings(max_examples=800, deadline=None)
@given(ANY)
def test_line_ends_and_bom_change_nothing(text):
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    expected = outcome(lambda text: parse(text, "f"), text)
    for variant in ("\ufeff" + text, text.replace("\n", "\r\n"), "\ufeff" + text.replace("\n", "\r")):
        assert outcome(lambda text: parse(text, "f"), variant) == expected
        assert outcome(lambda text: parse(text.encode(), "f"), variant) == expected


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=30) | ANY.map(str.encode))
def test_bytes(vocabulary, data):
    try:
        load_config(data, "f", vocabulary)
    except ConfigError as error:
        assert str(error).startswith(f"f:{error.line}:{error.column}: ")


@settings(max_examples=400, deadline=None)
@given(JSON, st.sampled_from(LAYOUTS))
def test_json_is_read_alike_by_all(value, layout):
    text = json.dumps(value, **layout)
    expected = json.dumps(json.loads(text))
    assert json.dumps(plain(json_parser.parse(text, "f"))) == expected
    assert json.dumps(plain(parse(text, "f"))) == expected
    if layout.get("indent") != "\t" or "\n" not in text:
        assert json.dumps(plain(yaml_parser.parse(text, "f"))) == expected
    # Inside a block, too, where the lines are indented deeper.
    inside = "k:\n  - " + text.replace("\n", "\n      ")
    assert json.dumps(plain(yaml_parser.parse(inside, "f"))) == '{"k": [' + expected + "]}"


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_json_with_its_characters_as_they_are(value):
    text = json.dumps(value, ensure_ascii=False)
    try:
        text = to_text(text, "f")
    except ConfigError:
        return
    expected = json.dumps(json.loads(text))
    assert json.dumps(plain(json_parser.parse(text, "f"))) == expected
    assert json.dumps(plain(yaml_parser.parse(text, "f"))) == expected


def test_every_beginning_of_the_sample(vocabulary):
    text = json.dumps({"orderedPool": ["a:1", "b:2"], "route": {"type": "LocalRoute"}}, indent=1)
    load_config(text, "f", vocabulary)
    for end in range(len(text)):
        assert outcome(lambda text: load_config(text, "f", vocabulary), text[:end]).startswith("f:")
