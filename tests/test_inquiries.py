"""`get __mcrouter__.NAME(ARGS)`: what the router says of itself, and that nothing else is taken for it."""

import hashlib
import json
import socket
import time

import pytest

import mcrouter
from mcrouter import Router, Settings, load_config
from mcrouter.proto.commands import INQUIRING
from mcrouter.proto.request import ANSWERED, INQUIRY
from mcrouter.server.inquiries import Inquiries
from mcrouter.system.host_id import _ipv4, _ipv6, host_id, number
from tests.proto.feeding import PLANS, ClientFeed, bytewise

CONFIG = {
    "pools": {"A": {"servers": ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]}, "B": {"servers": ["127.0.0.1:4"]}},
    "route": {"type": "OperationSelectorRoute", "default_policy": {"type": "PoolRoute", "pool": "A", "hash": "Crc32"},
              "operation_policies": {"get": {"type": "MissFailoverRoute", "children": "Pool|A"},
                                     "set": "AllSyncRoute|Pool|A"}},
}  # fmt: skip
TEXT = json.dumps(CONFIG)
DIGEST = hashlib.md5(TEXT.encode()).hexdigest()
HANDLES = "RootRoute\n MissFailoverRoute\n  127.0.0.1:1\n  127.0.0.1:3"
COMMANDS = "known commands: add, append, cas, decr, delete, flush_all, gat, gats, get, gets, incr, ma, md, me, mg, mn, ms, prepend, quit, replace, set, shutdown, stats, touch, verbosity, version"


def said(key, text=TEXT, source="config", unhealthy=("127.0.0.1:2",), **settings):
    """The value of a key of ours."""
    inquiries = Inquiries(load_config(text, source), time.time(), Settings(**settings), lambda: unhealthy)
    return inquiries.answer(INQUIRING + key.encode()).decode()


SAID = [
    ("version", f"mcrouter {mcrouter.__version__}"),
    ("version()", f"mcrouter {mcrouter.__version__}"),
    ("config_age", "0"),
    ("config_file", "ERROR: no config file found!"),
    ("config_md5_digest", DIGEST),
    ("config_sources_info", f'{{\n  "mcrouter_config": "{DIGEST}"\n}}'),
    ("preprocessed_config", json.dumps(CONFIG, indent=2, sort_keys=True)),
    ("hostid", str(host_id())),
    ("options(timeout_ms)", "1000"),
    ("options(listen)", "tcp://:8080"),
    ("options(metrics_listen_addr)", ":9090"),
    ("options(client_idle_timeout)", "off"),
    ("options(healthcheck_interval)", "10s"),
    ("options(disable_reload_configs)", "off"),
    ("options(nonsense)", "ERROR: options: option nonsense not found"),
    ("options(a,b)", "ERROR: options: 0 or 1 args expected"),
    ("route(get,k)", "127.0.0.1:1\r\n127.0.0.1:3"),
    ("route(set,k)", "127.0.0.1:1\r\n127.0.0.1:3"),
    ("route(touch,b)", "127.0.0.1:3"),
    ("route(touch,a)", ""),
    ("route(touch,b,|#|,a)", "127.0.0.1:1"),
    ("route(get)", "ERROR: route: 2 args expected"),
    ("route(got,k)", "ERROR: unknown command 'got'; did you mean 'get'?"),
    ("route(stats,k)", "ERROR: stats is about no key; leave out 'k'"),
    ("route_handles(get,k)", HANDLES),
    ("route_handles(xyz,k)", f"ERROR: unknown command 'xyz'; {COMMANDS}"),
    ("nonsense", "ERROR: unknown command: nonsense"),
    ("nonsense(", "ERROR: unknown command: nonsense("),
    ("", "ERROR: unknown command: "),
]


@pytest.mark.parametrize(("key", "value"), SAID)
def test_what_it_says(key, value):
    assert said(key) == value


def test_it_names_all_settings():
    lines = said("options", timeout_ms=5, listen=["tcp://:1", "unix:///s"]).splitlines()
    assert "timeout_ms 5" in lines and "listen tcp://:1,unix:///s" in lines
    assert [line.split()[0] for line in lines] == list(Settings().texts())


def test_it_names_the_file_of_the_config(tmp_path):
    path = tmp_path / "router.json"
    path.write_text(TEXT)
    assert said("config_file", source=str(path)) == str(path)
    assert json.loads(said("config_sources_info", source=str(path))) == {"config_file": str(path), "mcrouter_config": DIGEST}


def test_a_yaml_config_is_said_as_json():
    assert json.loads(said("preprocessed_config", "orderedPool: [a:1]\nroute: DefaultRoute")) == {"orderedPool": ["a:1"], "route": "DefaultRoute"}


def test_a_config_with_macros_is_said_as_they_leave_it():
    macros = {"where": {"type": "macroDef", "params": [], "result": "PoolRoute|A"}}
    config = {"macros": macros, "pools": {"A": {"servers": ["a:1"]}}, "route": "@where()"}
    expanded = {"pools": {"A": {"servers": ["a:1"]}}, "route": "PoolRoute|A"}
    assert json.loads(said("preprocessed_config", json.dumps(config))) == expanded


def test_what_would_hold_up_clients_is_not_done():
    hosts = [f"host{number:06}:1" for number in range(6000)]
    large = json.dumps({"orderedPool": hosts, "route": "DefaultRoute"})
    assert said("preprocessed_config", large) == large
    assert said("route(get,k)", large) == "ERROR: more than 1000 handles; use mcrouter explain"


def fed(pieces, plan=PLANS[0]):
    """The requests that these reads make."""
    feed = ClientFeed(plan)
    for piece in pieces:
        feed.received(piece)
    return feed.requests


def test_a_policy_that_cannot_be_followed_is_said_to_be_one():
    route = {"type": "MissFailoverRoute", "children": [*["NullRoute"] * 900, "PoolRoute|A"]}
    value = said("route(get,k)", json.dumps({**CONFIG, "route": route}))
    assert value == "ERROR: the policy goes on from handle to handle too often"


PARSED = [
    (b"get __mcrouter__.version\r\n", [b"__mcrouter__.version"]),
    (b"gets __mcrouter__.a __mcrouter__.b\r\n", [b"__mcrouter__.a", b"__mcrouter__.b"]),
    (b" get  __mcrouter__.\n", [b"__mcrouter__."]),
]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("data", "keys"), PARSED)
def test_a_get_of_such_keys_alone_is_for_the_router(data, keys, plan):
    for pieces in ([data], bytewise(data), [b"get a\r\nget b\r\n" + data + b"get c\r\n"]):
        asked = [request for request in fed(pieces, plan) if request.commands == INQUIRY]
        assert [request.keys() for request in asked] == [keys]


@pytest.mark.parametrize(
    "data",
    [
        b"get __mcrouter__.version a\r\n", b"get a __mcrouter__.version\r\n", b"get __mcrouter__\r\n", b"get x__mcrouter__.a\r\n",
        b"set __mcrouter__.a 0 0 1\r\nx\r\n", b"delete __mcrouter__.a\r\n", b"mg __mcrouter__.a v\r\n", b"gat 0 __mcrouter__.a\r\n",
    ],
)  # fmt: skip
def test_everything_else_goes_to_the_hosts(data):
    (request,) = fed([data])
    assert request.commands not in (INQUIRY, ANSWERED)
    assert bytes(request.data) == data


def test_the_router_answers_in_turn():
    settings = Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="off")
    with Router(load_config('{"orderedPool": ["127.0.0.1:1"], "route": "NullRoute"}'), settings) as router:
        port = int(router.addresses[0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 10) as sock, sock.makefile("rb") as replies:
            sock.sendall(b"get a\r\ngets __mcrouter__.version __mcrouter__.x\r\nset a 0 0 1\r\nx\r\nget __mcrouter__.options(timeout_ms)\r\nquit\r\n")
            version = f"mcrouter {mcrouter.__version__}".encode()
            assert replies.read() == b"".join([
                b"END\r\n", b"VALUE __mcrouter__.version 0 %d 0\r\n%b\r\n" % (len(version), version),
                b"VALUE __mcrouter__.x 0 25 0\r\nERROR: unknown command: x\r\nEND\r\n", b"NOT_STORED\r\n",
                b"VALUE __mcrouter__.options(timeout_ms) 0 4\r\n1000\r\nEND\r\n",
            ])  # fmt: skip


TRIE = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.7
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""
INET6 = """\
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000007 02 40 00 80     eth0
20010db8000000000000000000000008 02 40 00 01     eth0
fe800000000000000000000000000007 02 40 20 80     eth0
"""


def test_a_machine_is_known_by_its_lasting_addresses():
    assert _ipv4(TRIE) == ["192.0.2.7"]
    assert _ipv6(INET6) == ["20010db8000000000000000000000007"]
    assert number(["b", "a", "a"]) == number(["a", "b"]) != number(["a"])
    assert 0 <= host_id() < 1 << 32 and host_id() == host_id()
