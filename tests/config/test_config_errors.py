"""Every config error with its exact text: the corpus in invalid/, and the tables here for what files cannot hold."""

import ast
import io
import os
import pickle
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import mcrouter.config
from mcrouter.config import ConfigError, Vocabulary, load_config, load_file
from mcrouter.config.errors import advice_for_name, show
from mcrouter.config.fields import RECORDS, REQUIRED, Field, number, one_of, pair, record, texts, unused
from mcrouter.config.imports import MAX_BYTES

INVALID = Path(__file__).parent / "invalid"
CASES = sorted(path for path in INVALID.iterdir() if path.suffix != ".error")

RAW = {
    "latin-1": (b"a: caf\xe9\n", "f:1:7: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "utf-16": (b"\xff\xfea\0", "f:1:1: byte 0xff is not UTF-8; save the file as UTF-8"),
    "cut short": (b"a: 1\r\nb: \xe2\x82", "f:2:4: byte 0xe2 is not UTF-8; save the file as UTF-8"),
    "behind BOM and CR": (b"\xef\xbb\xbfa\r\xc3\xa9\xff", "f:2:2: byte 0xff is not UTF-8; save the file as UTF-8"),
    "surrogate": ("a: \ud800", "f:1:4: the character U+D800 is not allowed in a config; remove it"),
    "NUL behind BOM": ("\ufeff\0", "f:1:1: the character U+0000 is not allowed in a config; remove it"),
    "CRLF before a control": ("a\r\nb\x01", "f:2:2: the character U+0001 is not allowed in a config; remove it"),
    "CRLF": ("a: 1\r\nb: *c\r\n", "f:2:4: aliases (*) are not supported; write the value out"),
}

OWN_FIELDS = (
    Field("limits", read=record(rate=(number(0, 5), REQUIRED), burst=(number(0.5, 2, whole=False), 1)), default=None),
    Field("copies", RECORDS, default=None, fields=(Field("to", read=texts), *unused("qos"))),
    Field("span", read=pair(0, 10, whole=True), default=None),
    Field("mode", read=one_of("on", "off", False), default=None),
)
OWN = {
    '"limits": 1': "1:48: limits of X is invalid; write a map with rate, burst",
    '"limits": {"x": 1}': "1:48: limits of X is invalid; 'x' is not a known key; write a map with rate, burst",
    '"limits": {}': "1:48: limits of X is invalid; rate is missing; add it",
    '"limits": {"rate": 6}': "1:48: limits of X is invalid; rate is invalid; write a whole number from 0 to 5",
    '"limits": {"rate": 1.5}': "1:48: limits of X is invalid; rate is invalid; write a whole number from 0 to 5",
    '"limits": {"rate": 1, "burst": 0}': "1:48: limits of X is invalid; burst is invalid; write a number from 0.5 to 2",
    '"copies": "x"': "1:48: an item of copies is a text; write a list of maps",
    '"copies": [{"to": ["x"]}, 1]': "1:64: an item of copies is the number 1; write a list of maps",
    '"copies": [{"top": 1}]': "1:50: unknown option 'top' of copies; did you mean 'to'?",
    '"copies": [{}]': "1:49: copies without to; add to",
    '"copies": [{"to": [1]}]': "1:56: to of copies is invalid; write a list of texts",
    '"span": 1': "1:46: span of X is invalid; write a list of two numbers, the smaller first",
    '"span": [2, 1]': "1:46: span of X is invalid; write a list of two numbers, the smaller first",
    '"span": [0, 11]': "1:46: span of X is invalid; write a whole number from 0 to 10",
    '"mode": true': "1:46: mode of X is invalid; write one of on, off, false",
}
"""What stands in a map -> the error, for a handle with fields of every kind."""


def error_of(path):
    return path.with_name(path.stem + path.suffix + ".error").read_text("utf-8").rstrip("\n")


def test_the_corpus_is_there():
    assert len(CASES) > 150
    assert {path.suffix for path in CASES} == {".yaml", ".json"}
    assert len(list(INVALID.glob("*.error"))) == len(CASES)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_invalid(path, vocabulary):
    with pytest.raises(ConfigError) as caught:
        load_config(path.read_bytes(), path.name, vocabulary)
    assert str(caught.value) == error_of(path)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_line_ends_and_bom_change_no_error(path, vocabulary):
    text = path.read_bytes().decode()
    for variant in ("\ufeff" + text, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        with pytest.raises(ConfigError) as caught:
            load_config(variant.encode(), path.name, vocabulary)
        assert str(caught.value) == error_of(path)


@pytest.mark.parametrize("text", OWN)
def test_fields(text):
    handles = {"X": SimpleNamespace(fields=OWN_FIELDS)}
    with pytest.raises(ConfigError) as caught:
        load_config(f'{{"pools": {{}}, "route": {{"type": "X", {text}}}}}', "f", Vocabulary({}, handles, ()))
    assert str(caught.value) == "f:" + OWN[text]


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_no_text(name, vocabulary):
    data, expected = RAW[name]
    with pytest.raises(ConfigError) as caught:
        load_config(data, "f", vocabulary)
    assert str(caught.value) == expected


def file_errors(folder, vocabulary, monkeypatch):
    """What `load_file` says of names that are no readable file, and what it has to say."""

    class Closed(io.StringIO):
        def read(self, *args):
            raise ValueError("I/O operation on closed file.")

    fifo, large = folder / "fifo", folder / "large"
    os.mkfifo(fifo)
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    monkeypatch.setattr("sys.stdin", Closed())
    mend = "name a file that can be read, or - for standard input"
    for path, source, reason in (
        (str(folder / "none.yaml"), str(folder / "none.yaml"), "No such file or directory"),
        (str(folder), str(folder), "Is a directory"),
        ("/dev/zero", "/dev/zero", "it is not a regular file"),
        (str(fifo), str(fifo), "it is not a regular file"),
        (str(large), str(large), "it is larger than 64 MiB"),
        ("a\0b", "a\\x00b", "embedded null byte"),
        ("-", "<stdin>", "I/O operation on closed file."),
    ):
        with pytest.raises(ConfigError) as caught:
            load_file(path, vocabulary)
        yield caught.value, f"{source}: cannot read the config ({reason}); {mend}"


def test_files_that_cannot_be_read(tmp_path, vocabulary, monkeypatch):
    seen = 0
    for error, expected in file_errors(tmp_path, vocabulary, monkeypatch):
        assert (error.line, error.column) == (0, 0)
        assert str(error) == expected
        seen += 1
    assert seen == 7


def test_a_standard_input_that_is_closed(vocabulary, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="standard input is closed"):
        load_file("-", vocabulary)


@pytest.mark.parametrize("name", ["fifo", "/dev/zero"])
def test_an_import_of_what_has_no_end(tmp_path, vocabulary, name):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "c.json").write_text('{"pools": {}, "route": "@import(%s)"}' % name)
    with pytest.raises(ConfigError, match=f"cannot import '{name}' .it is not a regular file.; name a file"):
        load_file(str(tmp_path / "c.json"), vocabulary)


def test_the_error_carries_its_parts():
    error = ConfigError("f.yaml", 2, 3, "this is wrong; do that")
    assert (error.file, error.line, error.column, error.message) == ("f.yaml", 2, 3, "this is wrong; do that")
    assert str(error) == "f.yaml:2:3: this is wrong; do that"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_names_in_messages():
    assert show("a\nb") == "'a\\nb'"
    assert len(show("x" * 1000)) == 62
    assert advice_for_name("GETS", ["get", "gets"], "commands") == "did you mean 'gets'?"
    assert advice_for_name("zzz", ["b", "a"], "commands") == "known commands: a, b"


def test_every_message_has_a_test(tmp_path, vocabulary, monkeypatch):
    """Each text in the room's code that has the form `what is wrong; what would be right` is seen in a test above."""
    tested = [error_of(path) for path in CASES]
    tested += [*OWN.values(), *(expected for _, expected in RAW.values())]
    tested += [expected for _, expected in file_errors(tmp_path, vocabulary, monkeypatch)]
    messages = set()
    for path in Path(mcrouter.config.__file__).parent.glob("*.py"):
        messages.update(_messages(path.read_text("utf-8")))
    assert len(messages) > 60
    unseen = [message for message in messages if not any(re.search(message, text) for text in tested)]
    assert unseen == []


def _messages(source):
    """Patterns of the messages in Python source: what is put in at run time can be anything."""
    tree = ast.parse(source)
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            inside.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
    for node in ast.walk(tree):
        parts = []
        if id(node) not in inside and isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = [node]
        elif isinstance(node, ast.JoinedStr):
            parts = node.values
        pattern = "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in parts)
        if re.search(r";\\? |; ", pattern):
            yield pattern.replace(".+", ".*")
