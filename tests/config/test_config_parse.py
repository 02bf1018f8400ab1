"""The two parsers against the corpus in valid/: each file with the plain value that it must give."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from mcrouter.config import ConfigError, as_json, digest, load_config, parse
from mcrouter.config.syntax import yaml as yaml_parser
from mcrouter.config.syntax.text import to_text
from mcrouter.config.syntax.tree import Entry, Map, Scalar, Seq, plain

VALID = Path(__file__).parent / "valid"
CASES = sorted(path for path in VALID.iterdir() if not path.name.endswith(".expected.json"))


def spelled(value):
    """Equal only for values of equal types and order: 1 is not 1.0 or true; nan is nan."""
    return json.dumps(value)


def test_the_corpus_is_there():
    assert len(CASES) > 25
    assert {path.suffix for path in CASES} == {".yaml", ".json"}
    assert len(list(VALID.glob("*.expected.json"))) == len(CASES)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_valid(path):
    expected = json.loads(path.with_name(path.stem + ".expected.json").read_text("utf-8"))
    assert spelled(plain(parse(path.read_bytes(), path.name))) == spelled(expected)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_line_ends_and_bom_change_nothing(path):
    text = to_text(path.read_bytes(), path.name)
    tree = repr(parse(text, "f"))
    for variant in ("\ufeff" + text, text.replace("\n", "\r\n"), "\ufeff" + text.replace("\n", "\r")):
        assert repr(parse(variant, "f")) == tree
        assert repr(parse(variant.encode(), "f")) == tree


def test_positions_yaml():
    text = '\ufeff# comment\r\na: 1\r\n"b" :\r\n- x\r\n- k:   [y,\r\n   {z: "é", w}]\r\nc:\r\n'
    tree = parse(text, "f")
    assert tree == Map(
        (
            Entry(Scalar("a", 2, 1), Scalar(1, 2, 4)),
            Entry(
                Scalar("b", 3, 1),
                Seq(
                    (
                        Scalar("x", 4, 3),
                        Map(
                            (
                                Entry(
                                    Scalar("k", 5, 3),
                                    Seq(
                                        (
                                            Scalar("y", 5, 9),
                                            Map(
                                                (
                                                    Entry(Scalar("z", 6, 5), Scalar("é", 6, 8)),
                                                    Entry(Scalar("w", 6, 13), Scalar(None, 6, 14)),
                                                ),
                                                6,
                                                4,
                                            ),
                                        ),
                                        5,
                                        8,
                                    ),
                                ),
                            ),
                            5,
                            3,
                        ),
                    ),
                    4,
                    1,
                ),
            ),
            Entry(Scalar("c", 7, 1), Scalar(None, 7, 3)),
        ),
        2,
        1,
    )


def test_positions_json():
    tree = parse('/* one\n two */ {"a": [1,\n  {"é": "x", "b": null}]}', "f")
    inner = Map(
        (Entry(Scalar("é", 3, 4), Scalar("x", 3, 9)), Entry(Scalar("b", 3, 14), Scalar(None, 3, 19))), 3, 3
    )  # fmt: skip
    assert tree == Map((Entry(Scalar("a", 2, 10), Seq((Scalar(1, 2, 16), inner), 2, 15)),), 2, 9)


SHAPES = {
    "block list": lambda n: "- a\n" * n,
    "block map": lambda n: "".join(f"k{i}: v\n" for i in range(n)),
    "flow list": lambda n: "# yaml\n[" + "a, " * n + "]",
    "flow list on lines": lambda n: "# yaml\n[" + "a,\n" * n + "]",
    "json list": lambda n: "[" + "1, " * n + "]",
    "json comments": lambda n: "[" + "1, /* x */ // y\n" * n + "]",
    "yaml comments": lambda n: "a: b\n" + "# x\n\n" * n,
    "folded text": lambda n: "a: b\n" + "  c\n\n" * n,
    "quoted text": lambda n: 'a: "' + "c\\n\n \n  " * n + '"',
    "block text": lambda n: "a: >\n" + "  c\n\n" * n,
    "blank lines": lambda n: "a: |\n" + "\n" * n + "b: 1",
    "texts over blank lines": lambda n: "".join(f"k{i}: a\n\n\n" for i in range(n)),
    "deep lists": lambda n: ("- " * 99 + "a\n") * n,
    "dedents": lambda n: "- a:\n    b:\n      - c\n" * n,
    "unclosed": lambda n: "[" + '"a",\n' * n,
    "second document": lambda n: "- a\n" * n + "---\n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_cost_is_linear(shape):
    """Four times the text, at most a little more than four times the calls, Python's and C's."""
    small, large = (_calls(SHAPES[shape](size)) for size in (100, 400))
    assert small < large <= 4.2 * small


def _calls(text):
    count = 0

    def profile(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        parse(text, "f")
    except ValueError:
        pass
    finally:
        sys.setprofile(before)
    return count


def test_long_lines_are_not_copied_for_each_item():
    """What C does inside one call is not counted above: here the characters that slices of the line copy."""
    copied = 0

    class Line(str):
        def __getitem__(self, where):
            nonlocal copied
            piece = str.__getitem__(self, where)
            copied += len(piece)
            return piece

    size = 2000
    blocks = yaml_parser._Blocks("", "f")
    blocks.lines = [Line("[" + "ab, 'cd', " * size + "]")]
    assert len(blocks.document().items) == 2 * size
    assert copied < 40 * size


def test_a_config_as_json_is_indented_and_sorted():
    assert as_json("b: [1, x]\na: {}\n") == '{\n  "a": {},\n  "b": [\n    1,\n    "x"\n  ]\n}'


@pytest.mark.parametrize("code", ["d7ff", "e000", "ffff", "0000"])
def test_an_escape_that_is_a_character_is_that_character(code):
    assert plain(parse('{"a": "\\u%s"}' % code, "f")) == {"a": chr(int(code, 16))}
    assert plain(parse('a: "\\u%s"' % code, "f")) == {"a": chr(int(code, 16))}


@pytest.mark.parametrize("code", ["d800", "dbff", "dc00", "dfff"])
def test_an_escape_that_is_half_a_character_is_an_error(code):
    for text in ('{"a": "\\u%s"}' % code, 'a: "\\u%s"' % code):
        with pytest.raises(ConfigError, match="is not a character"):
            parse(text, "f")


@pytest.mark.parametrize(("text", "place"), [("\na: \ud800", "f:2:4"), ("\n\ud800", "f:2:1"), ("\ud800", "f:1:1"), ("a\n\n \ud800", "f:3:2")])
def test_a_character_that_is_not_allowed_is_found_in_its_line_and_column(text, place):
    with pytest.raises(ConfigError, match=rf"^{place}: "):
        parse(text, "f")


BLOCKS = [  # the text of a config, and the value of its key `a`
    ("a: |\n  x\n", "x\n"),
    ("a: |-\n  x\n", "x"),
    ("a: |+\n  x\n", "x\n"),
    ("a: |\n  x", "x"),
    ("a: |+\n  x", "x"),
    ("a: |\n  x\n\n\n", "x\n"),
    ("a: |-\n  x\n\n\n", "x"),
    ("a: |+\n  x\n\n\n", "x\n\n\n"),
    ("a: |+\n  x\n\n  ", "x\n\n"),
    ("a: |+\n  x\n\nb: 1\n", "x\n\n"),
    ("a: |+\n\n", "\n"),
    ("a: |\n\n", ""),
    ("a: |\n  x\n   y\n  z\n", "x\n y\nz\n"),
    ("a: |2\n    x\n   y\n", "  x\n y\n"),
    ("a: >\n  x\n  y\n", "x y\n"),
    ("a: >\n  x\n\n  y\n", "x\ny\n"),
    ("a: >\n  x\n\n\n  y\n", "x\n\ny\n"),
    ("a: >\n  x\n   y\n  z\n", "x\n y\nz\n"),
    ("a: >+\n  x\n\n", "x\n\n"),
    ("a: >-\n\n  x\n", "\nx"),
]


@pytest.mark.parametrize(("text", "value"), BLOCKS)
def test_block_scalars(text, value):
    """As PyYAML and libyaml read them."""
    assert plain(parse(text, "f"))["a"] == value


@pytest.mark.parametrize("macros", [{}, {"macros": {"r": {"type": "constDef", "result": "DefaultRoute"}}}])
def test_the_digest_is_that_of_the_text_as_it_was_written(macros, vocabulary):
    text = json.dumps({"orderedPool": ["a"], "route": "%r%" if macros else "DefaultRoute", **macros})
    config = load_config(text, "f", vocabulary)
    assert digest(config) == hashlib.md5(text.encode()).hexdigest()
    assert digest(config._replace(text="", digest="")) == ""
    assert config.text == (json.dumps({"orderedPool": ["a"], "route": "DefaultRoute"}) if macros else text)


@pytest.mark.parametrize("text", ["a: [%s]\n", "a: {k: [%s]}\n", '{"a": [%s]}\n', "a: [x, %s]\n"])
@pytest.mark.parametrize("item", ["[]", "{}", "[[1]]"])
def test_many_collections_next_to_one_another_are_not_deep(text, item):
    parse(text % ", ".join([item] * 300), "f")
