"""A line of the spool and its entry: both formats, any key, and what is no entry."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcrouter.spool.entry import BadEntryError, SpoolEntry, format_entry, parse_entry, show

# From the comments of facebook/mcrouter's AsyncLog.cpp and what its writeDelete does.
FIRST = [
    (rb'["AS1.0",1289416829.836,"C",["10.0.0.1",11302,"delete foo\r\n"]]', SpoolEntry(1289416829.836, ("10.0.0.1", 11302), b"foo")),
    (rb'[ "AS1.0" , 1289416829 , "C", ["::1", 1, "delete foo 0\r\n"] ]', SpoolEntry(1289416829.0, ("::1", 1), b"foo")),
    (b'["AS1.0",1.5,"C",["h",65535,"delete \xff\xc3\xa4\\\\\\"\\r\\n"]]', SpoolEntry(1.5, ("h", 65535), b'\xff\xc3\xa4\\"')),
]
SECOND = [
    (b'["AS2.0",1.836,"C",{"s":"mcrouter","f":"east","r":"","h":"[10.0.0.1]:11302","p":"A","k":"foo"}]\n', SpoolEntry(1.836, ("10.0.0.1", 11302), b"foo", "A")),
    (b'["AS2.0",1.0,"C",{"s":"mcrouter","f":"east","r":"","h":"[::1]:1","p":"","k":"\xff\xc3\xa4\x7f"}]\n', SpoolEntry(1.0, ("::1", 1), b"\xff\xc3\xa4\x7f")),
    (b'["AS2.0",1.0,"C",{"s":"mcrouter","f":"east","r":"","h":"[/run/m.sock]:0","p":"A","k":"\\n\\u0000\\"\\\\"}]\n', SpoolEntry(1.0, ("/run/m.sock", 0), b'\n\0"\\', "A")),
]  # fmt: skip
READ_ONLY = [
    (rb'["AS2.0",1,"C",{"f":"x","h":"[h]:1","k":"k"}]', SpoolEntry(1.0, ("h", 1), b"k")),
    (rb'["AS2.0",1,"C",{"h":"[h]:1","k":"k","a":{"al":1},"p":7}]', SpoolEntry(1.0, ("h", 1), b"k")),
    (rb'["AS2.0",1,"C",{"h":"[h]:1","k":"\ud83d\ude00\u00e4"}]', SpoolEntry(1.0, ("h", 1), "\U0001f600\u00e4".encode())),
]


@pytest.mark.parametrize(("line", "entry"), FIRST + SECOND + READ_ONLY)
def test_a_line_is_read(line, entry):
    assert parse_entry(line) == parse_entry(line + b"\n") == entry


@pytest.mark.parametrize(("line", "entry"), SECOND)
def test_an_entry_is_written(line, entry):
    assert format_entry(entry, "east") == line


NOT_JSON = "it is not JSON, or is cut off"
NO_LIST = "it is not a list of 4: format, time, type and command"
NO_TIME = 'its second item is not a time, or its third not "C"'
NO_OBJECT = 'its command is not an object with "h" (host) and "k" (key)'
NO_LIST_OF_3 = "its command is not a list of host, port and delete"
NO_DELETE = r'its command is not a "delete KEY\r\n"'
NO_PORT = "its port is not a number from 1 to 65535 (0 for the path of a socket)"
NO_HOST = "its host is not a name, an address or the path of a socket"
DAMAGED = [
    (b"\0" * 100, NOT_JSON),
    (b"[" * 100_000, NOT_JSON),
    (b"\xff", NOT_JSON),
    (b"1" * 5000, None),
    (b"[]", NO_LIST),
    (b'{"AS1.0":1}', NO_LIST),
    (b'["AS3.0",1,"C",[]]', "its format is neither AS1.0 nor AS2.0"),
    (b'[["AS1.0"],1,"C",[]]', "its format is neither AS1.0 nor AS2.0"),
    (b'["AS1.0","1","C",[]]', NO_TIME),
    (b'["AS1.0",NaN,"C",["h",1,"delete k\\r\\n"]]', NO_TIME),
    (b'["AS1.0",1' + b"0" * 400 + b',"C",["h",1,"delete k\\r\\n"]]', NO_TIME),
    (b'["AS1.0",1,"D",["h",1,"delete k\\r\\n"]]', NO_TIME),
    (b'["AS1.0",1,"C",["h",1]]', NO_LIST_OF_3),
    (b'["AS1.0",1,"C",["h",1,2]]', NO_LIST_OF_3),
    (b'["AS1.0",1,"C",{"h":"[h]:1","k":"k"}]', NO_LIST_OF_3),
    (b'["AS1.0",1,"C",["h",1,"set k\\r\\n"]]', NO_DELETE),
    (b'["AS1.0",1,"C",["h",1,"delete k\\r\\nflush_all\\r\\n"]]', NO_DELETE),
    (b'["AS1.0",1,"C",["h","1","delete k\\r\\n"]]', NO_PORT),
    (b'["AS1.0",1,"C",["h",true,"delete k\\r\\n"]]', NO_PORT),
    (b'["AS1.0",1,"C",["h",65536,"delete k\\r\\n"]]', NO_PORT),
    (b'["AS1.0",1,"C",["/s",1,"delete k\\r\\n"]]', NO_PORT),
    (b'["AS1.0",1,"C",[["h"],1,"delete k\\r\\n"]]', NO_HOST),
    (b'["AS1.0",1,"C",["",1,"delete k\\r\\n"]]', NO_HOST),
    (b'["AS1.0",1,"C",["\xff",1,"delete k\\r\\n"]]', NO_HOST),
    (b'["AS2.0",1,"C",[]]', NO_OBJECT),
    (b'["AS2.0",1,"C",{"h":"[h]:1"}]', NO_OBJECT),
    (b'["AS2.0",1,"C",{"h":"[h]:1","k":1}]', NO_OBJECT),
    (b'["AS2.0",1,"C",{"h":"h:1","k":"k"}]', 'its host is not of the form "[host]:port"'),
    (b'["AS2.0",1,"C",{"h":"[h]:0","k":"k"}]', NO_PORT),
    (b'["AS2.0",1,"C",{"h":"[h]:1","k":""}]', "its key has 0 bytes; a host takes 1 to 250"),
    (b'["AS2.0",1,"C",{"h":"[h]:1","k":"\\ud83d"}]', "its key has half of a UTF-16 pair"),
    (b'["AS2.0",1,"C",{"h":"[h]:1","k":"' + b"k" * 251 + b'"}]', "its key has 251 bytes; a host takes 1 to 250"),
]


@pytest.mark.parametrize(("line", "problem"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_line_is_damaged(line, problem):
    with pytest.raises(BadEntryError) as raised:
        parse_entry(line)
    assert problem in (None, str(raised.value))


MANY = settings(max_examples=int(os.environ.get("CASES", "300")))
PORTS = st.integers(1, 65535)
KEYS = st.binary(min_size=1, max_size=250)
ENTRIES = st.builds(SpoolEntry, st.integers(0, 2**34).map(float), st.tuples(st.sampled_from(["h", "::1", "1.2.3.4"]), PORTS), KEYS)


@MANY
@given(ENTRIES, st.text(max_size=20))
def test_any_key_comes_back_and_its_line_is_one(entry, name):
    line = format_entry(entry, name)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert parse_entry(line) == entry


@MANY
@given(ENTRIES, st.data())
def test_what_is_cut_off_is_never_an_entry(entry, data):
    line = format_entry(entry, "east")[:-1]
    with pytest.raises(BadEntryError):
        parse_entry(line[: data.draw(st.integers(0, len(line) - 1))])


@MANY
@given(st.one_of(st.binary(), st.recursive(st.none() | st.floats() | st.integers() | st.text() | st.sampled_from(["AS1.0", "AS2.0", "C"]), lambda inner: st.lists(inner, max_size=4)).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_nothing_but_its_own_error_comes_of_garbage(line):
    try:
        parse_entry(line)
    except BadEntryError:
        pass


def test_a_pool_that_is_no_text_does_not_stop_it():
    assert parse_entry(format_entry(SpoolEntry(1.0, ("h", 1), b"k", "\ud800"), "\udfff")).pool == "?"


@pytest.mark.parametrize(
    ("address", "shown"), [(("h", 1), "h:1"), (("::1", 2), "[::1]:2"), (("/run/m", 0), "unix:///run/m")]
)
def test_an_address_is_shown_as_a_config_has_it(address, shown):
    assert show(address) == shown
