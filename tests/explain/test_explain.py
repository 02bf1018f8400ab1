"""`mcrouter explain`: what it prints, its JSON, and its complaints."""

import json

import pytest

from mcrouter.cli.main import main
from mcrouter.explain.answers import MISSES, TIMES_OUT, UNHEALTHY
from mcrouter.explain.dry import DryRun
from mcrouter.routes.framework.context import policy_options
from mcrouter.server.configs.reading import load_config
from mcrouter.settings import Settings

SEED = {
    "orderedPool": ["a:1", "b:1"],
    "route": {"type": "OperationSelectorRoute", "operationPolicies": {"get": "MissFailoverRoute", "set": "AllFastestRoute"}},
}
HASHED = {
    "pools": {"A": {"servers": ["a:1", "b:1", "c:1"]}},
    "named_handles": [{"type": "HashRoute", "children": "Pool|A", "hash_func": "Crc32", "name": "hashed"}],
    "route": {"type": "OperationSelectorRoute", "default_policy": "hashed",
              "operation_policies": {"delete": {"type": "AllSyncRoute", "children": ["hashed", "NullRoute", "hashed"]}}},
}  # fmt: skip

GET = """\
get k

  MissFailoverRoute: the first hit or success is the answer
    a:1
    b:1 [asked if that misses or fails]

all hosts are healthy:
  asked: a:1
  answer: VALUE k 0 3, a:1, END
a:1 answers END, answers SERVER_ERROR, times out:
  asked: a:1, then b:1
  answer: VALUE k 0 3, b:1, END
a:1 is unhealthy:
  asked: b:1
  answer: VALUE k 0 3, b:1, END
every host answers END:
  asked: a:1, then b:1
  answer: END
every host answers SERVER_ERROR:
  asked: a:1, then b:1
  answer: SERVER_ERROR out of memory storing object
every host times out:
  asked: a:1, then b:1
  answer: SERVER_ERROR mcrouter: a:1: no reply within 1000 ms
every host is unhealthy:
  asked: no host
  answer: SERVER_ERROR mcrouter: no healthy upstream
"""
SET_UNHEALTHY = """\
a:1 is unhealthy:
  asked: b:1; recorded as missed for a:1
  answer: STORED
"""
SEVERAL = """\
get a b

a:
  RootRoute
    HashRoute: Crc32(a) = 1 of 3
      b:1

b:
  RootRoute
    HashRoute: Crc32(b) = 2 of 3
      c:1

all hosts are healthy:
  asked: b:1 (get a), c:1 (get b)
  answer: VALUE a 0 3, b:1, VALUE b 0 3, c:1, END
b:1 answers END, answers SERVER_ERROR, times out:
  asked: b:1 (get a), c:1 (get b)
  answer: VALUE b 0 3, c:1, END
"""
SHARED = """\
delete a

  RootRoute
    AllSyncRoute: the worst answer is the answer
      HashRoute: Crc32(a) = 1 of 3
        b:1
      NullRoute: answers NOT_FOUND
      HashRoute: Crc32(a) = 1 of 3 (as above)

all hosts are healthy:
  asked: b:1, b:1
  answer: NOT_FOUND
"""


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a subcommand over a config; (exit code, stdout, stderr)."""

    def run(name, config, *words):
        path = tmp_path / "router.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        place = ["-f", str(path)] if name == "explain" else [str(path)]
        code = main([name, *place, *words])
        return (code, *(text.replace(str(path), "FILE") for text in capsys.readouterr()))

    return run


@pytest.mark.parametrize(
    ("config", "words", "shown"),
    [(SEED, "get k", GET), (SEED, "set k", SET_UNHEALTHY), (HASHED, "get a b", SEVERAL), (HASHED, "delete a", SHARED)],
)
def test_it_says_who_is_asked_and_what_is_answered(run, config, words, shown):
    code, out, err = run("explain", config, *words.split())
    assert (code, err) == (0, "")
    assert shown in out


def test_a_command_of_one_key_is_explained_key_by_key(run):
    _, out, _ = run("explain", HASHED, "touch", "a", "b")
    assert [line for line in out.splitlines() if line.startswith(("touch", "    Hash"))] == [
        "touch a 1", "    HashRoute: Crc32(a) = 1 of 3", "touch b 1", "    HashRoute: Crc32(b) = 2 of 3",
    ]  # fmt: skip


def test_a_command_about_no_key(run):
    assert run("explain", HASHED, "flush_all")[1].splitlines()[2] == "  ErrorRoute: answers SERVER_ERROR Command disabled"
    assert run("explain", SEED, "verbosity")[0] == 0


def test_as_json_it_is_the_same(run):
    (said,) = json.loads(run("explain", HASHED, "--json", "mg", "a")[1])
    assert said["request"] == "mg a v\r\n"
    hashed = said["trees"][""]["routes"][0]
    assert hashed == {"type": "HashRoute", "remark": "Crc32(a) = 1 of 3", "when": "asked", "routes": hashed["routes"]}
    assert hashed["routes"] == [{"host": "b:1", "when": "asked", "routes": []}]
    assert said["scenarios"][0] == {"host": "", "when": "", "asked": [{"phase": 1, "host": "b:1", "request": "mg a v"}],
                                    "told": [], "answer": "VA 3\r\nb:1\r\n"}  # fmt: skip
    assert [one["when"] for one in said["scenarios"][1:]] == ["answers EN", "answers SERVER_ERROR", "times out", "is unhealthy"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["gte", "k"], "unknown command 'gte'; did you mean 'get'?"),
        (["get"], "get without a key; write get KEY"),
        (["version", "k"], "version is about no key; leave out 'k'"),
        (["quit"], "quit is asked of no host; name another command"),
        (["get", "a b"], "the key 'a b' is invalid; write 1 to 250 bytes without blanks and controls"),
        (["get", "k" * 251], f"the key '{'k' * 57}...' is invalid; write 1 to 250 bytes without blanks and controls"),
        ([], "the following arguments are required: COMMAND KEY; --help lists the flags"),
        (["--nonsense", "get", "k"], "unrecognized arguments: --nonsense; --help lists the flags"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run, words, complaint):
    code, out, err = run("explain", SEED, *words)
    assert (code, out) == (2, "")
    assert err in (f"mcrouter: {complaint}\n", f"mcrouter explain: {complaint}\n")


@pytest.mark.parametrize("name", ["explain", "graph"])
def test_a_bad_config_is_one_line_and_exit_code_2(run, name):
    code, out, err = run(name, '{"orderedPool": ["a:1"], "route": "DefualtRoute"}', *(["get", "k"] if name == "explain" else []))
    assert (code, out) == (2, "")
    assert err.startswith("mcrouter: FILE:1:35: unknown route 'DefualtRoute'; did you mean 'DefaultRoute'")


def test_a_policy_that_nobody_could_follow_is_one_line_and_exit_code_2(run):
    route = {"type": "MissFailoverRoute", "children": [*["NullRoute"] * 900, "PoolRoute|A"]}
    code, out, err = run("explain", {**HASHED, "route": route}, "get", "k")
    assert (code, out) == (2, "")
    assert err == "mcrouter: the config nests routes too deeply to explain this request; use fewer routes within one another\n"


def test_an_invalid_routing_prefix_is_explained_as_the_router_is_set_to_treat_it(run):
    words = ["get", "/no/where/k"]
    assert "answer: SERVER_ERROR RootRoute: No rh found\n" in run("explain", HASHED, *words)[1]
    shown = run("explain", HASHED, "--send-invalid-route-to-default", *words)[1]
    assert "RootRoute: /no/where/\n    HashRoute: Crc32(k) = 1 of 3\n" in shown
    assert "all hosts are healthy:\n  asked: b:1 (get k)\n  answer: VALUE /no/where/k 0 3, b:1, END\n" in shown


FLAGS = [  # settings of the router, a request, the hosts' condition, the answer
    ({}, b"set k 0 0 1\r\nx\r\n", {}, b"STORED\r\n"),
    ({"allow_only_gets": True}, b"set k 0 0 1\r\nx\r\n", {}, b"SERVER_ERROR mcrouter: only gets are served (--allow-only-gets)\r\n"),
    ({"allow_only_gets": True}, b"get k\r\n", {"b:1": MISSES}, b"END\r\n"),
    ({}, b"flush_all\r\n", {}, b"SERVER_ERROR Command disabled\r\n"),
    ({"enable_flush_cmd": True}, b"flush_all\r\n", {}, b"OK\r\n"),
    ({}, b"get k\r\n", {"b:1": UNHEALTHY}, b"SERVER_ERROR mcrouter: b:1: it is unhealthy\r\n"),
    ({"error_style": "mcrouter"}, b"get k\r\n", {"b:1": UNHEALTHY}, b"SERVER_ERROR Server unavailable. Reason: mc_res_connect_error\r\n"),
    ({}, b"get k\r\n", {"b:1": TIMES_OUT}, b"SERVER_ERROR mcrouter: b:1: no reply within 1000 ms\r\n"),
    ({"error_style": "mcrouter"}, b"get k\r\n", {"b:1": TIMES_OUT}, b"SERVER_ERROR Reply timeout\r\n"),
    ({"send_invalid_route_to_default": True}, b"get /a/b/k\r\n", {"b:1": MISSES}, b"END\r\n"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "data", "conditions", "expected"), FLAGS)
def test_a_dry_run_heeds_the_settings_of_the_router(settings, data, conditions, expected):
    run = DryRun(load_config(json.dumps(HASHED)), conditions, **policy_options(Settings(**settings)))
    assert run.ask(data).reply == expected


GRAPH = """\
get, gets, gat, gats, set, add, replace, append, prepend, cas, incr, decr, touch, mg, ms, ma, me:
  RootRoute (default: /././)
    /././: HashRoute (hash_func: Crc32, name: hashed)  #1
      a:1
      b:1
      c:1

delete, md:
  RootRoute (default: /././)
    /././: AllSyncRoute
      HashRoute (hash_func: Crc32, name: hashed) (as #1)
      NullRoute
      HashRoute (hash_func: Crc32, name: hashed) (as #1)

mn, version, verbosity, stats:
  the router itself

flush_all:
  ErrorRoute: answers SERVER_ERROR Command disabled
"""
PREFIXES = {
    "pools": {"A": {"servers": ["a:1"]}},
    "route": {"type": "OperationSelectorRoute", "operation_policies": {
        "get": {"type": "PrefixSelectorRoute", "policies": {"a": "PoolRoute|A", "b": "AllSyncRoute|"}, "wildcard": "NullRoute"}}},
}  # fmt: skip


def test_the_graph_shows_each_way_once_and_what_is_shared_by_a_number(run):
    assert run("graph", HASHED) == (0, GRAPH, "")


def test_the_graph_names_prefixes_and_what_has_no_policy(run):
    out = run("graph", PREFIXES)[1]
    assert "      a: HashRoute (name: A)\n        a:1\n      b: NullRoute\n      wildcard: NullRoute\n" in out
    assert "    /././: no policy: SERVER_ERROR\n" in out


def test_the_graph_for_graphviz(run):
    lines = run("graph", SEED, "--dot")[1].splitlines()
    assert lines[0] == "digraph policy {" and lines[-1] == "}"
    assert '  n2 [label="MissFailoverRoute"];' in lines and "  n2 -> n0;" in lines
    assert '  c0 [shape=box, label="get, mg, me"];' in lines and "  c0 -> n2;" in lines
