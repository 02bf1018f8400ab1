"""Macros, constants, parameters and the syntax of texts: what they stand for."""

import json

import pytest

from mcrouter.config import parse
from mcrouter.config.preprocess.expander import expand
from mcrouter.config.syntax.tree import Entry, Map, Scalar

from .expanding import PARAMS, load, tree_of, value_of

MACROS = {
    "s": {"type": "macroDef", "result": "string"},
    "same": {"type": "macroDef", "params": ["a"], "result": "%a%"},
    "concat": {"type": "macroDef", "params": ["a", {"name": "b", "default": "321"}], "result": "%a%%b%"},
    "number": {"type": "macroDef", "params": [{"name": "a", "default": 15}], "result": "%a%"},
    "call": {"type": "macroDef", "params": ["name"], "result": "@%name%"},
    "pair": {"type": "macroDef", "params": ["key", "value"], "result": {"%key%": "%value%"}},
    "perhaps": {"type": "macroDef", "params": [{"name": "a", "optional": True}], "result": "@defined(a)"},
    "must": {"type": "macroDef", "params": [{"name": "a", "optional": False}, {"name": "b"}], "result": ["%a%", "%b%"]},
    "author": {"type": "constDef", "result": "John Doe"},
    "copyright": {"type": "constDef", "result": "%author% owns it"},
    "list": {"type": "constDef", "result": [1, "@s"]},
    "\\@": {"type": "macroDef", "result": "\\@\\(\\\\\\)"},
    "factorial": {
        "type": "macroDef",
        "params": ["x"],
        "result": "@if(@less(%x%, @int(2)), @int(1), @mul(%x%, @factorial(@sub(%x%, @int(1)))))",
    },
}

CASES = [
    ("@s", "string"),
    ("@s()", "string"),
    ("@s( )", "string"),
    ("@same()", ""),
    ("@same(  )", ""),
    ("@same( a b )", "a b"),
    ("@same(\n\ta\n)", "a"),
    ("@same(a\\ )", "a "),
    ("@same(  \\)  )", ")"),
    ("@same(a\\,b)", "a,b"),
    ("@same(\\\\ )", "\\"),
    ("@same(\\\\\\  )", "\\ "),
    ("@same(a) ", "a"),
    ("@same(a))", "a)"),
    ("@same(a(b,c)d)", "a(b,c)d"),
    ("@same(@concat(@s, @same(\\)\\,)))", "string),"),
    ("@concat(@s,123)", "string123"),
    ("@concat(@s)", "string321"),
    ("@concat(hello,\n        world)", "helloworld"),
    ("@concat(,)", ""),
    ("@number", 15),
    ("@number(x)", "x"),
    ("@number()", ""),
    ("@call(s)", "string"),
    ("@\\s", "string"),
    ("@\\@", "@(\\)"),
    ("@perhaps", False),
    ("@perhaps(1)", True),
    ({"type": "perhaps"}, False),
    ({"type": "must", "a": 1, "b": 2}, [1, 2]),
    ({"type": "concat", "a": "%author%", "comment": "is let be"}, "John Doe321"),
    ({"type": "@same(concat)", "a": "x"}, "x321"),
    ({"type": "%list%", "a": "@s"}, {"type": [1, "string"], "a": "string"}),
    ({"type": "NoMacro", "a": "@s"}, {"type": "NoMacro", "a": "string"}),
    ({"type": "macroDef", "result": "@untouched"}, {"type": "macroDef", "result": "@untouched"}),
    ("%copyright%. Some content", "John Doe owns it. Some content"),
    ("%list%", [1, "string"]),
    (["%list%", "@s", "%num-proxies%"], [[1, "string"], "string", 4]),
    ({"%default-region%": {"@s": 1}, "\\@a": "%on%"}, {"east": {"string": 1}, "@a": True}),
    ("%default-region%%default-region%", "easteast"),
    ("%options%", {"deep": [None, 1.5]}),
    ("fake\\@fake.fake", "fake@fake.fake"),
    ("fake@fake.fake", "fake@fake.fake"),
    ("100\\%", "100%"),
    ("\\\\", "\\"),
    ("\\%author\\%", "%author%"),
    ("%default\\-region%", "east"),
    ("ends in \\", "ends in "),
    ("@factorial(@int(5))", 120),
    ({"vars": {"a": 1, "b": ["%a%", "%c%"], "c": "x"}, "d": "%b%"}, {"d": [1, "x"]}),
    ({"vars": {"a": 1}, "b": {"vars": {"a": 2}, "c": "%a%"}, "d": "%a%"}, {"b": {"c": 2}, "d": 1}),
    ([None, 1, 1.5, True, "", "a", [], {}], [None, 1, 1.5, True, "", "a", [], {}]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CASES)
def test_a_value(text, value):
    assert value_of(json.dumps({"macros": MACROS, "it": text})) == {"it": value}


def test_macros_as_a_list_may_build_on_one_another():
    macros = [{"a": MACROS["s"]}, [{"type": "merge", "params": [{"b": MACROS["same"]}, {"c": MACROS["author"]}]}], "@import(definitions)"]
    assert value_of(json.dumps({"macros": macros, "it": ["@a", "@b(1)", "%c%", "@twice(2)"]})) == {
        "it": ["string", "1", "John Doe", "22"]
    }
    last = [{"a": MACROS["s"]}, {"type": "merge", "params": [{"@a": MACROS["same"]}]}]
    assert value_of(json.dumps({"macros": last, "it": "@string(5)"})) == {"it": "5"}


def test_all_macros_may_be_imported():
    assert value_of('{"macros": "@import(definitions)", "it": "@import(uses-names)"}') == {"it": {"region": "east", "twice": "xx"}}
    assert value_of('{"macros": {"type": "values", "dictionary": {"x": "@import(definitions)"}}, "it": "@twice(a)"}') == {"it": "aa"}


@pytest.mark.parametrize(
    "consts",
    [
        [{"type": "constDef", "name": "a", "value": "%b%1"}, {"type": "constDef", "name": "b", "result": "2"}],
        {"a": "%b%1", "b": {"type": "constDef", "result": "2"}},
        {"type": "merge", "params": [{"a": "21"}, {"b": "2"}]},
        "@import(constants)",
    ],
)
def test_constants(consts):
    assert value_of(json.dumps({"consts": consts, "it": "%a%"})) == {"it": "21"}


def test_a_constant_may_use_a_macro_and_a_macro_a_constant():
    text = {"consts": {"c": "@m(x)"}, "macros": {"m": {"type": "macroDef", "params": ["a"], "result": "%a%%d%"}, "d": {"type": "constDef", "result": "y"}}, "it": "%c%"}
    assert value_of(json.dumps(text)) == {"it": "xy"}


def test_a_later_definition_takes_the_place_of_an_earlier_one():
    macros = [{"a": MACROS["s"], "add": MACROS["s"]}, {"a": MACROS["number"], "default-region": MACROS["author"]}]
    assert value_of(json.dumps({"macros": macros, "it": ["@a", "@add", "%default-region%"]})) == {"it": [15, "string", "John Doe"]}


def test_only_what_stands_at_the_top_is_a_section():
    assert value_of('{"it": {"macros": "%on%", "consts": [1]}}') == {"it": {"macros": True, "consts": [1]}}
    assert value_of('{"macros": {}, "consts": [], "it": 1}') == {"it": 1}
    assert value_of('["@int(1)"]') == [1]
    assert value_of('"@int(1)"') == 1


# The examples of JSONM.md in facebook/mcrouter's wiki, with what they give. Where its text and the origin's code differ,
# the code is right: a list that calls two macros holds two items.
WIKI = [
    (
        {
            "macros": {
                "pair": {"type": "macroDef", "params": ["key", "value"], "result": {"%key%": "%value%"}},
                "fullName": {"type": "macroDef", "params": ["first", "last"], "result": ["@pair(first,%first%)", "@pair(last,%last%)"]},
                "car": {
                    "type": "macroDef",
                    "params": ["model", {"name": "color", "default": "green"}],
                    "result": {"model": "%model%", "color": "%color%"},
                },
            },
            "person": "@fullName(John,Doe)",
            "car": "@car(Mercedes)",
        },
        {"person": [{"first": "John"}, {"last": "Doe"}], "car": {"model": "Mercedes", "color": "green"}},
    ),
    (
        {
            "consts": [
                {"type": "constDef", "name": "author", "value": "John Doe"},
                {"type": "constDef", "name": "copyright", "value": "%author% owns it"},
            ],
            "file": "%copyright%. Some content",
        },
        {"file": "John Doe owns it. Some content"},
    ),
    (
        {"email": "fake\\@fake.fake", "valid": "100\\%", "backslash": "\\\\"},
        {"email": "fake@fake.fake", "valid": "100%", "backslash": "\\"},
    ),
    ({"city": {"type": "select", "key": 0, "dictionary": "@import(cities) "}}, {"city": "New York"}),
    ({"key": "@int(100)"}, {"key": 100}),
    ({"myRange": "@range(@int(1),@int(2))"}, {"myRange": [1, 2]}),
    ({"value": "@add(@mul(@int(2),@int(3)),@int(5))"}, {"value": 11}),
    ({"condition": "@contains(abacaba,aca)"}, {"condition": True}),
    ({"condition": "@less(bcd,abcd)"}, {"condition": False}),
    (
        {"value": {"type": "if", "condition": "@equals(a,a)", "is_false": "Oops", "is_true": "Yeah"}},
        {"value": "Yeah"},
    ),
    (
        {"type": "transform", "keyTransform": "%item%", "itemTransform": "%key%", "dictionary": {"a": "b", "b": "c"}},
        {"b": "a", "c": "b"},
    ),
    ({"type": "process", "initialValue": "", "dictionary": ["a", "b", "c", "d"], "transform": "%item%%value%"}, "dcba"),
    ({"type": "keys", "dictionary": {"a": 1, "b": 2}}, ["a", "b"]),
    ({"type": "merge", "params": [[1, 2], [3, 4]]}, [1, 2, 3, 4]),
    ({"type": "merge", "params": [{"a": 1, "b": 2}, {"b": 3, "c": 4}]}, {"a": 1, "b": 3, "c": 4}),
    ({"type": "select", "key": "a", "dictionary": {"a": 1, "b": 2}}, 1),
    ({"type": "slice", "from": 1, "to": 2, "dictionary": [1, 2, 3, 4]}, [2, 3]),
    ("@isString(abc)", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), WIKI)
def test_the_examples_of_the_wiki(text, value):
    assert value_of(json.dumps(text)) == value


PLAIN = [
    '{"pools": {"A": {"servers": ["h:1", "h:2"]}}, "route": "AllSyncRoute|Pool|A"}',
    '{"type": "OperationSelectorRoute", "vars": {"a": 1}, "result": null, "params": [1, true, 2.5]}',
    '{"a": "back\\\\slash"}',
    "type: [if]\nmacro: 1\n1: x\n",
    "[]",
    '"text"',
    "{}",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_uses_nothing_comes_back_as_it_is(text):
    tree = parse(text, "f")
    assert expand(tree, "f", PARAMS, load) is tree


def test_what_only_looks_like_a_call_comes_back_as_it_is():
    tree = parse('{"mail": ["a@b"], "b": {"c": 1}}', "f")
    assert expand(tree, "f", PARAMS, load) is tree


def test_what_does_not_change_is_not_copied():
    tree = parse('{"a": {"b": ["c", {"d": 1}]}, "macros": {}, "e": "%on%"}', "f")
    made = expand(tree, "f", PARAMS, load)
    assert made.entries[0] == tree.entries[0]
    assert made.entries[0].value is tree.entries[0].value


def test_a_value_has_the_place_where_it_was_written():
    tree = tree_of("""{
  "macros": {"m": {"type": "macroDef", "params": ["a"], "result": {
    "%a%": ["fixed", "%a%1", "%a%"]}}},
  "it": "@m(x)",
  "map": {"type": "m",
    "a": "y"},
  "param": "%num-proxies%",
  "sum": "@add(@int(1), @int(2))",
  "file": "@import(cities)"
}""")
    it, by_map, param, total, file = [entry.value for entry in tree.entries]
    assert it == Map((Entry(Scalar("x", 3, 5), it.entries[0].value),), 2, 67)
    assert it.entries[0].value.items == (Scalar("fixed", 3, 13), Scalar("x1", 3, 22), Scalar("x", 4, 9))
    assert by_map.entries[0].value.items[2] == Scalar("y", 6, 10)
    assert param == Scalar(4, 7, 12)
    assert total == Scalar(3, 8, 10)
    assert (file.source, file.line, file.items[1]) == ("cities", 1, Scalar("Washington", 1, 14, "cities"))
