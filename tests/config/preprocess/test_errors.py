"""Every error of the preprocessor with its exact text, and the macros that would make too much."""

import json
import re
from pathlib import Path

import pytest

import mcrouter.config.preprocess
from mcrouter.config import parse
from mcrouter.config.preprocess import limits
from mcrouter.config.preprocess.expander import expand
from mcrouter.config.syntax.tree import Entry, Map, Scalar, Seq, from_file
from tests.config.test_config_errors import _messages

from .expanding import PARAMS, error_of, load, value_of

CASES = {
    # text syntax
    'percent': (
        '{"a": "100%"}',
        "f:1:7: a '%' without a second one; put a backslash before a '%' that is only a character",
    ),
    'percent in an argument': (
        '{"a": "@int(5%)"}',
        "f:1:7: a '%' without a second one; put a backslash before a '%' that is only a character",
    ),
    'call not closed': (
        '{"a": "@int(5"}',
        "f:1:7: the call does not end in ')'; write @name(argument, ...), or \\@ for the character itself",
    ),
    'call with a tail': (
        '{"a": "@int(5)a"}',
        "f:1:7: the call does not end in ')'; write @name(argument, ...), or \\@ for the character itself",
    ),
    'bracket not closed': (
        '{"a": "@equals(@int(5,b)"}',
        "f:1:7: a '(' is not closed; add the missing ')', or put a backslash before the '('",
    ),
    'unknown macro': (
        '{"a": "@selekt(1)"}',
        "f:1:7: there is no macro 'selekt'; did you mean 'select'?",
    ),
    'unknown type-less name': (
        '{"a": "@zzzzzz"}',
        "f:1:7: there is no macro 'zzzzzz'; define it, or write \\@ for the character itself",
    ),
    'a mail address': (
        '{"a": "@"}',
        "f:1:7: there is no macro ''; define it, or write \\@ for the character itself",
    ),
    "macro's name is a list": (
        '{"a": "@%hosts%"}',
        'f:1:7: the name of the macro is a list; it must be a text',
    ),
    'unknown parameter': (
        '{"a": "x%default-regoin%"}',
        "f:1:7: there is no parameter 'default-regoin'; did you mean 'default-region'?",
    ),
    'unknown parameter far': (
        '{"a": "%zzzzzzzz%"}',
        "f:1:7: there is no parameter 'zzzzzzzz'; define it, or write \\% for the character itself",
    ),
    'parameter inside a text': (
        '{"a": "x%num-proxies%"}',
        "f:1:7: '%num-proxies%' inside a text is the number 4; only a text is allowed there; write @str(%num-proxies%) to make it one",
    ),
    'a macro sees no names around it': (
        '{"macros": {"m": {"type": "macroDef", "result": "%item%"}}, "a": {"type": "transform", "dictionary": [1], "itemTransform": "@m"}}',
        "f:1:49: there is no parameter 'item'; define it, or write \\% for the character itself (in the macro 'm', called at f:1:124)",
    ),
    # maps
    'key is a list': (
        '{"%hosts%": 1}',
        'f:1:2: this key becomes a list; a key must be a text',
    ),
    'key twice': (
        '{"east": 1,\n "%default-region%": 2}',
        "f:2:2: the key 'east' is here twice; keep this one or that of line 1",
    ),
    'vars is a list': (
        '{"vars": [], "a": "%on%"}',
        "f:1:10: 'vars' is a list; write a map of names and values",
    ),
    'vars in a circle': (
        '{"vars": {"a": "%b%", "b": "x%a%"}, "c": "%on%"}\n',
        "f:1:28: 'a' depends on itself; break the circle",
    ),
    'constants in a circle': (
        '{"consts": {"a": "%b%", "b": "%a%"}, "c": "%a%"}',
        "f:1:30: 'a' depends on itself; break the circle",
    ),
    'import in a circle': (
        '{"a": "@import(circle)"}',
        "circle:1:7: 'circle' depends on itself; break the circle",
    ),
    'one name twice': (
        '{"a": {"type": "transform", "dictionary": [1], "keyName": "item", "itemTransform": 1}}',
        "f:1:7: 'item' would name two things at once; give them different names",
    ),
    # files
    'no such file': (
        '{"a": "@import(none)"}',
        "f:1:7: there is no file 'none'; name one that is there",
    ),
    'a broken file': (
        '{"a": "@import(broken)"}',
        "broken:1:1: the map that opens here is not closed; add the missing '}'",
    ),
    'an error in a file': (
        '{"a": "@import(wrong)"}',
        "wrong:2:8: there is no parameter 'none'; did you mean 'on'?",
    ),
    'an error in a file, in a macro': (
        '{"macros": {"m": {"type": "macroDef", "params": ["p"], "result": "@import(%p%)"}},\n "a": "@m(wrong)"}',
        "wrong:2:8: there is no parameter 'none'; did you mean 'on'? (in the macro 'm', called at f:2:7)",
    ),
    # definitions
    'macros is a text': (
        '{"macros": "x"}',
        "f:1:12: 'macros' is a text; write a map of names and definitions, or a list of such maps",
    ),
    'macros holds a number': (
        '{"macros": [1]}',
        "f:1:13: 'macros' is the number 1; write a map of names and definitions, or a list of such maps",
    ),
    'definition is a text': (
        '{"macros": {"m": "x"}}',
        "f:1:18: the definition of 'm' is a text; write {type: macroDef, params: [...], result: ...} or {type: constDef, result: ...}",
    ),
    'definition without type': (
        '{"macros": {"m": {"result": 1}}}',
        "f:1:18: the definition of 'm' has no known 'type'; write {type: macroDef, params: [...], result: ...} or {type: constDef, result: ...}",
    ),
    'definition of another type': (
        '{"macros": {"m": {"type": "macrodef", "result": 1}}}',
        "f:1:18: the definition of 'm' has no known 'type'; write {type: macroDef, params: [...], result: ...} or {type: constDef, result: ...}",
    ),
    'macro without result': (
        '{"macros": {"m": {"type": "macroDef"}}}',
        "f:1:18: the definition has no 'result'; write its value as 'result: ...'",
    ),
    'constant without result': (
        '{"macros": {"m": {"type": "constDef"}}}',
        "f:1:18: the definition has no 'result'; write its value as 'result: ...'",
    ),
    'constant without value': (
        '{"consts": {"m": {"type": "constDef"}}}',
        "f:1:18: the definition has no 'result'; write its value as 'result: ...'",
    ),
    'params is a text': (
        '{"macros": {"m": {"type": "macroDef", "params": "a", "result": 1}}}',
        "f:1:49: the 'params' of 'm' is a text; write a list of names",
    ),
    'param is a number': (
        '{"macros": {"m": {"type": "macroDef", "params": [1], "result": 1}}}',
        'f:1:50: this is not a parameter; write its name, or {name: ..., default: ...}',
    ),
    'param without a name': (
        '{"macros": {"m": {"type": "macroDef", "params": [{"default": 1}], "result": 1}}}',
        'f:1:50: this is not a parameter; write its name, or {name: ..., default: ...}',
    ),
    'param twice': (
        '{"macros": {"m": {"type": "macroDef", "params": ["a", {"name": "a"}], "result": 1}}}',
        "f:1:55: 'm' has the parameter 'a' twice; rename one of them",
    ),
    'optional is a number': (
        '{"macros": {"m": {"type": "macroDef", "params": [{"name": "a", "optional": 1}], "result": 1}}}',
        "f:1:76: 'optional' is the number 1; write true or false",
    ),
    'optional and default': (
        '{"macros": {"m": {"type": "macroDef", "params": [{"name": "a", "optional": false, "default": 1}], "result": 1}}}',
        "f:1:76: a parameter that has a default is optional; remove the default, or 'optional: false'",
    ),
    'default before none': (
        '{"macros": {"m": {"type": "macroDef", "params": [{"name": "a", "default": 1}, "b"], "result": 1}}}',
        "f:1:79: the parameter 'b' is required, but one before it is not; give it a default, or move it before those that have one",
    ),
    'consts is a number': (
        '{"consts": 1}',
        "f:1:12: 'consts' is the number 1; write a list of constDef, or a map of names and values",
    ),
    'constant is a number': (
        '{"consts": [1]}',
        'f:1:13: this is not a constant; write {type: constDef, name: ..., result: ...}',
    ),
    'constant without a name': (
        '{"consts": [{"type": "constDef", "result": 1}]}',
        'f:1:13: this is not a constant; write {type: constDef, name: ..., result: ...}',
    ),
    'constant of another type': (
        '{"consts": [{"type": "macroDef", "name": "a", "result": 1}]}',
        'f:1:13: this is not a constant; write {type: constDef, name: ..., result: ...}',
    ),
    # arguments
    'too few': (
        '{"a": "@slice(a,b)"}',
        'f:1:7: @slice: the number of arguments is 2; write @slice(dictionary, from, to)',
    ),
    'too many': (
        '{"a": "@select(a,b,c,d)"}',
        'f:1:7: @select: the number of arguments is 4; write @select(dictionary, key, [default])',
    ),
    'none': (
        '{"a": "@int"}',
        'f:1:7: @int: the number of arguments is 0; write @int(value)',
    ),
    'too many for a macro': (
        '{"macros": {"m": {"type": "macroDef", "params": ["a", {"name": "b", "default": 1}], "result": 1}}, "a": "@m(1,2,3)"}',
        'f:1:105: @m: the number of arguments is 3; write @m(a, [b])',
    ),
    'missing': (
        '{"a": {"type": "slice", "dictionary": "a", "from": 1}}',
        "f:1:7: @slice: no 'to' is given; write @slice(dictionary, from, to)",
    ),
    'not a text': (
        '{"a": "@split(%hosts%,a)"}',
        "f:1:7: @split: 'dictionary' is a list; give a text",
    ),
    'not a whole number': (
        '{"a": "@add(@double(1.5),@int(1))"}',
        "f:1:7: @add: 'A' is the number 1.5; give a whole number, as @int(5) makes one",
    ),
    'true is no number': (
        '{"a": "@add(%on%,@int(1))"}',
        "f:1:7: @add: 'A' is true; give a whole number, as @int(5) makes one",
    ),
    'not true or false': (
        '{"a": "@if(true,a,b)"}',
        "f:1:7: @if: 'condition' is the text 'true'; give true or false, as @bool(true) makes it",
    ),
    'not a list': (
        '{"a": "@sort(%options%)"}',
        "f:1:7: @sort: 'dictionary' is a map; give a list",
    ),
    'not a map': (
        '{"a": "@keys(%hosts%)"}',
        "f:1:7: @keys: 'dictionary' is a list; give a map",
    ),
    'not a map or a list': (
        '{"a": "@select(abc,@int(0))"}',
        "f:1:7: @select: 'dictionary' is the text 'abc'; give a map or a list",
    ),
    'not a map, a list or a text': (
        '{"a": "@size(@int(5))"}',
        "f:1:7: @size: 'dictionary' is the number 5; give a map, a list or a text",
    ),
    # built-ins
    'int of a text': (
        '{"a": "@int(5.5)"}',
        "f:1:7: @int: 'value' is the text '5.5'; give a whole number, or a text that is one",
    ),
    'int of a fraction': (
        '{"a": "@int(@double(5.5))"}',
        "f:1:7: @int: 'value' is the number 5.5; give a whole number, or a text that is one",
    ),
    'int of a list': (
        '{"a": "@int(%hosts%)"}',
        "f:1:7: @int: 'value' is a list; give a whole number, or a text that is one",
    ),
    'int too large': (
        '{"a": "@int(9223372036854775808)"}',
        'f:1:7: @int: the result does not fit into 64 bits; use smaller numbers',
    ),
    'double': (
        '{"a": "@double(nan)"}',
        "f:1:7: @double: 'value' is the text 'nan'; give a number, or a text that is one",
    ),
    'double of too many characters': (
        f'{{"a": "@double(1.{"0" * 299})"}}',
        f"f:1:7: @double: 'value' is the text '1.{'0' * 55}...'; give a number, or a text that is one",
    ),
    'double a bit too large': (
        f'{{"a": "@double({2.0**1023})"}}',
        "f:1:7: @double: 'value' is the text '8.98846567431158e+307'; give a number, or a text that is one",
    ),
    'add too small': (
        '{"a": "@add(@int(-9223372036854775808),@int(-1))"}',
        'f:1:7: @add: the result does not fit into 64 bits; use smaller numbers',
    ),
    'add too large': (
        '{"a": "@add(@int(9223372036854775807),@int(1))"}',
        'f:1:7: @add: the result does not fit into 64 bits; use smaller numbers',
    ),
    'double too large': (
        '{"a": "@double(1e999)"}',
        "f:1:7: @double: 'value' is the text '1e999'; give a number, or a text that is one",
    ),
    'str': (
        '{"a": "@str(%options%)"}',
        "f:1:7: @str: 'value' is a map; give a text, a number, true or false",
    ),
    'bool': (
        '{"a": "@bool(maybe)"}',
        "f:1:7: @bool: 'value' is the text 'maybe'; give true, false, 1 or 0, or a text that is one of them",
    ),
    'bool of a number': (
        '{"a": "@bool(@int(2))"}',
        "f:1:7: @bool: 'value' is the number 2; give true, false, 1 or 0, or a text that is one of them",
    ),
    'mul': (
        '{"a": "@mul(@int(4611686018427387904),@int(2))"}',
        'f:1:7: @mul: the result does not fit into 64 bits; use smaller numbers',
    ),
    'div by 0': (
        '{"a": "@div(@int(5),@int(0))"}',
        "f:1:7: @div: 'B' is 0; divide by another number",
    ),
    'mod by 0': (
        '{"a": "@mod(@int(5),@int(0))"}',
        "f:1:7: @mod: 'B' is 0; divide by another number",
    ),
    'div too large': (
        '{"a": "@div(@int(-9223372036854775808),@int(-1))"}',
        'f:1:7: @div: the result does not fit into 64 bits; use smaller numbers',
    ),
    'shift': (
        '{"a": "@bitwiseLeftShift(@int(1),@int(64))"}',
        "f:1:7: @bitwiseLeftShift: 'B' is 64; shift by 0 to 63",
    ),
    'shift back': (
        '{"a": "@bitwiseRightShift(@int(1),@int(-1))"}',
        "f:1:7: @bitwiseRightShift: 'B' is -1; shift by 0 to 63",
    ),
    'less of maps': (
        '{"a": "@less(%options%,%options%)"}',
        'f:1:7: @less: maps have no order; compare texts, numbers or lists',
    ),
    'sort of maps': (
        '{"a": {"type": "sort", "dictionary": [[{}], [{}]]}}',
        'f:1:7: @sort: maps have no order; sort texts, numbers or lists',
    ),
    'fail': (
        '{"a": "@fail(Custom failure here)"}',
        'f:1:7: Custom failure here',
    ),
    'fail of a map': (
        '{"a": {"type": "fail", "msg": {"host": "%default-region%"}}}',
        'f:1:7: {"host": "east"}',
    ),
    'fail with a list of texts that are not ASCII': (
        '{"a": {"type": "fail", "msg": ["é", "%default-region%"]}}',
        'f:1:7: ["é", "east"]',
    ),
    'fail in a macro': (
        '{"macros": {"m": {"type": "macroDef", "result": "@fail(no)"}},\n "a": "@m"}',
        "f:1:49: no (in the macro 'm', called at f:2:7)",
    ),
    'merge of nothing': (
        '{"a": {"type": "merge", "params": []}}',
        "f:1:7: @merge: 'params' is empty; give lists, maps or texts",
    ),
    'merge of a number': (
        '{"a": {"type": "merge", "params": [1]}}',
        "f:1:7: @merge: 'params' holds the number 1; give lists, maps or texts",
    ),
    'merge of a list and a map': (
        '{"a": {"type": "merge", "params": [[], {}]}}',
        "f:1:7: @merge: 'params' holds a list and a map; give only lists, only maps or only texts",
    ),
    'merge of a text and a number': (
        '{"a": {"type": "merge", "params": ["a", 1]}}',
        "f:1:7: @merge: 'params' holds the number 1; give lists, maps or texts",
    ),
    'select a key': (
        '{"a": "@select(%options%,b)"}',
        "f:1:7: @select: there is no key 'b'; give a 'default'",
    ),
    'select an item': (
        '{"a": "@select(%hosts%,@int(2))"}',
        "f:1:7: @select: there is no item 2 in a list of 2; give a 'default'",
    ),
    'select by a text': (
        '{"a": "@select(%hosts%,2)"}',
        "f:1:7: @select: 'key' is the text '2'; give a whole number, as @int(5) makes one",
    ),
    'set': (
        '{"a": {"type": "set", "dictionary": [1, 2], "key": 2, "value": 3}}',
        'f:1:7: @set: there is no item 2 in a list of 2; set one that is there',
    ),
    'shuffle': (
        '{"a": "@shuffle(%hosts%,@int(-1))"}',
        "f:1:7: @shuffle: 'seed' is -1; give 0 or more",
    ),
    'transform a list': (
        '{"a": {"type": "transform", "dictionary": [1]}}',
        "f:1:7: @transform: no 'itemTransform' is given; a list needs it",
    ),
    'transform keys': (
        '{"a": {"type": "transform", "dictionary": {"a": 1}, "keyTransform": "%item%"}}',
        "f:1:7: @transform: 'keyTransform' gives the number 1; a key must be a text",
    ),
    'transform keys of a list': (
        '{"a": {"type": "transform", "dictionary": {"a": 1}, "keyTransform": ["x", {}]}}',
        "f:1:7: @transform: 'keyTransform' gives a map; a key must be a text",
    ),
    'top': (
        '{"a": {"type": "foreach", "from": [1], "top": -1}}',
        "f:1:7: @foreach: 'top' is -1; give 0 or more",
    ),
    'where': (
        '{"a": {"type": "foreach", "from": [1], "where": 1}}',
        "f:1:7: @foreach: 'where' gives the number 1; it must give true or false",
    ),
    'use': (
        '{"a": {"type": "foreach", "from": [1], "use": 1}}',
        "f:1:7: @foreach: 'use' gives the number 1; it must give lists only, or maps only",
    ),
    'use differs': (
        '{"a": {"type": "foreach", "from": [[], {}], "use": "%item%"}}',
        "f:1:7: @foreach: 'use' gives a map after a list; it must give lists only, or maps only",
    ),
    'weights': (
        '{"a": {"type": "weightedHash", "dictionary": {"a": 0}, "key": 1}}',
        'f:1:7: @weightedHash: the sum of the weights is 0; give at least one weight above 0',
    ),
    'weight': (
        '{"a": {"type": "weightedHash", "dictionary": {"a": -1}, "key": 1}}',
        "f:1:7: @weightedHash: the weight of 'a' is the number -1; give a number from 0 to 1",
    ),
    'weight is true': (
        '{"a": {"type": "weightedHash", "dictionary": {"a": true}, "key": 1}}',
        "f:1:7: @weightedHash: the weight of 'a' is true; give a number from 0 to 1",
    ),
    'hash': (
        '{"a": "@hash(%on%)"}',
        "f:1:7: @hash: 'value' is true; give a text or a whole number",
    ),
    # bombs
    'calls itself': (
        '{"macros": {"m": {"type": "macroDef", "result": "@m"}},\n "a": "@m"}',
        "f:1:49: calls are nested deeper than 100; look for a macro that calls itself without end (in the macro 'm', called at f:2:7)",
    ),
    'calls itself in a list': (
        '{"macros": {"m": {"type": "macroDef", "result": ["@m"]}},\n "a": "@m"}',
        "f:1:49: lists and maps are nested deeper than 100; use fewer levels (in the macro 'm', called at f:2:7)",
    ),
    'calls itself in arguments': (
        '{"macros": {"m": {"type": "macroDef", "params": ["p"], "result": "@m(@m(%p%))"}},\n "a": "@m(1)"}',
        "f:1:66: calls are nested deeper than 100; look for a macro that calls itself without end (in the macro 'm', called at f:2:7)",
    ),
    'ever deeper': (
        '{"a": {"type": "process", "initialValue": 1, "dictionary": "@range(@int(1),@int(101))", "transform": ["%value%"]}}',
        'f:1:102: lists and maps are nested deeper than 100; use fewer levels',
    ),
    'ever longer': (
        '{"a": {"type": "process", "initialValue": "ab", "dictionary": "@range(@int(1),@int(90))", "transform": "%value%%value%"}}',
        'f:1:104: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end',
    ),
    'ever longer by merge': (
        '{"a": {"type": "process", "initialValue": "ab", "dictionary": "@range(@int(1),@int(90))", "transform": {"type": "merge", "params": ["%value%", "%value%"]}}}',
        'f:1:104: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end',
    ),
    'ever wider': (
        '{"a": {"type": "process", "initialValue": 1, "dictionary": "@range(@int(1),@int(90))", "transform": ["%value%", "%value%"]}}',
        'f:1:101: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end',
    ),
    'ever wider in macros': (
        json.dumps({"macros":{"m":{"type":"macroDef","params":["p"],"result":{"a":"%p%","b":"%p%"}}},"a":"@m("*30+"1"+")"*30}),
        "f:1:66: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end (in the macro 'm', called at f:1:99)",
    ),
    'too long a list': (
        '{"a": "@range(@int(0),@int(999999999999))"}',
        'f:1:7: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end',
    ),
    'too many rounds': (
        '{"a": {"type": "process", "initialValue": 1, "dictionary": "@range(@int(1),@int(2000))", "transform": {"type": "process", "initialValue": 1, "dictionary": "@range(@int(1),@int(2000))", "transform": 1}}}',
        'f:1:103: the macros make more than 1000000 values; make fewer, or look for one that repeats itself without end',
    ),
    'a long chain': (
        '{"vars": {' + ", ".join(f'"v{n}": "%v{n + 1}%"' for n in range(200)) + ', "v200": 1}, "a": "%v0%"}',
        'f:1:1583: calls are nested deeper than 100; look for a macro that calls itself without end',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error(name):
    text, expected = CASES[name]
    assert error_of(text) == expected


def test_every_message_has_a_test():
    """Each text in the code that has the form `what is wrong; what would be right` is seen in a case above."""
    folder = Path(mcrouter.config.preprocess.__file__).parent
    messages = {message for path in folder.rglob("*.py") for message in _messages(path.read_text("utf-8"))}
    assert len(messages) > 40
    tested = [expected for _, expected in CASES.values()]
    assert [message for message in messages if not any(re.search(message, text) for text in tested)] == []


def test_a_config_may_be_larger_than_what_macros_may_make():
    """What is written is not made, and does not count."""
    row = Seq((Scalar(0, 1, 1),) * 1000, 1, 1)
    big, more = Seq((row,) * 1001, 1, 1), Scalar("@range(@int(1),@int(1000))", 2, 1)
    tree = Map((Entry(Scalar("big", 1, 1), big), Entry(Scalar("more", 2, 1), more)), 1, 1)
    made = expand(tree, "f", PARAMS, load)
    assert made.entries[0].value is tree.entries[0].value
    assert len(made.entries[1].value.items) == 1000


def sizes(count):
    """A list with so many values in it, itself included, in lists of several sizes."""
    rows = [Seq((Scalar(0, 1, 1),) * size, 1, 1) for size in (3, 0, 5)]  # 11 values, with themselves
    return Seq((*rows, *[Scalar(0, 1, 1)] * (count - 12)), 1, 1)


def test_what_is_made_may_have_so_many_values_and_no_more(monkeypatch):
    monkeypatch.setattr(limits, "MAX_MADE", 30)
    failed = []
    bounds = limits.ExpansionLimits(lambda node, message: failed.append(message))
    bounds.written(Seq((Scalar(0, 1, 1),) * 4, 1, 1))
    bounds.container(sizes(35))
    assert failed == []
    bounds = limits.ExpansionLimits(lambda node, message: failed.append(message))
    bounds.written(Seq((Scalar(0, 1, 1),) * 4, 1, 1))
    bounds.container(sizes(36))
    assert failed == [limits.TOO_MUCH]


def test_so_many_values_may_be_made_one_after_the_other_and_no_more(monkeypatch):
    monkeypatch.setattr(limits, "MAX_MADE", 30)
    failed = []
    bounds = limits.ExpansionLimits(lambda node, message: failed.append(message))
    at = Scalar(0, 1, 1)
    bounds.spend(10, at)
    bounds.text(160, at)  # 11: one, and one for each 16 characters
    bounds.container(Seq((at,) * 7, 1, 1))  # 8
    bounds.text(15, at)  # 1
    assert failed == []
    bounds.spend(1, at)
    assert failed == [limits.TOO_MUCH]


def test_as_deep_as_is_allowed():
    calls = "@add(" * 99 + "@int(1)" + ",@int(1))" * 99
    assert value_of(json.dumps({"it": calls})) == {"it": 100}
    maps = '{"type": "add", "B": 1, "A": ' * 98 + "1" + "}" * 98
    assert value_of(f'{{"it": {maps}}}') == {"it": 99}


def test_a_caller_whose_stack_is_deep_already_gets_an_error_too():
    def deep(levels):
        return deep(levels - 1) if levels else error_of(json.dumps({"it": "@add(" * 90 + "@int(1)" + ",@int(1))" * 90}))

    assert deep(600) == "f:1:1: calls are nested deeper than 100; look for a macro that calls itself without end"


def test_an_error_names_the_file_of_a_call_in_an_import():
    definitions = parse('{"m": {"type": "macroDef", "result": "@fail(no)"}, "n": {"type": "macroDef", "result": "@m"}}', "d")
    files = {"d": from_file(definitions, "d"), "use": from_file(parse('\n["@n"]', "use"), "use")}
    with pytest.raises(mcrouter.config.ConfigError) as caught:
        expand(parse('{"macros": "@import(d)", "it": "@import(use)"}', "f"), "f", {}, lambda path, at: files[path])
    assert str(caught.value) == "d:1:38: no (in the macro 'n', called at use:2:2)"
