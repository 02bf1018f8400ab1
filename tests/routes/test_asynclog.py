"""AsynclogRoute: the table of its docstring. PoolRoutes make it."""

import base64

import pytest

from mcrouter.proto import outcomes as o

from .script import CLIENT_ERROR, DELETED, ERROR, NOT_FOUND, SERVER_ERROR
from .world import World

DELETE, MD = b"delete a\r\n", b"md a\r\n"
NF = (b"NF\r\n", o.NOT_FOUND)
LOCAL = (b"SERVER_ERROR no\r\n", o.LOCAL)


class Spool:
    """The log."""

    def __init__(self, takes=True):
        self.takes = takes
        self.entries = []

    def add(self, host, port, key, pool):
        """Takes a delete, or not."""
        self.entries.append((host, port, key, pool))
        return self.takes


def world(spool, server="h:1", pool=None, route=None, says=None, holds=False):
    """A pool of one host, with a log."""
    config = {"pools": {"A": {"servers": [server], **(pool or {})}}, "route": route or "PoolRoute|A"}
    built = World(config, spool=spool)
    for host in built.hosts.values():
        host.says, host.holds = says or {}, holds
    return built


def only_host(world):
    """The one host."""
    (host,) = world.hosts.values()
    return host


ANSWERS = [
    (DELETE, DELETED, DELETED, False),
    (DELETE, NOT_FOUND, NOT_FOUND, False),
    (DELETE, CLIENT_ERROR, CLIENT_ERROR, False),
    (DELETE, ERROR, ERROR, False),
    (DELETE, LOCAL, LOCAL, False),
    (DELETE, SERVER_ERROR, NOT_FOUND, True),
    (MD, (b"HD\r\n", o.HEADER), (b"HD\r\n", o.HEADER), False),
    (MD, NF, NF, False),
    (MD, SERVER_ERROR, NF, True),
]


@pytest.mark.parametrize(("data", "says", "expected", "logged"), ANSWERS)
def test_answers(data, says, expected, logged):
    spool = Spool()
    logging = world(spool, says={data: says})
    assert logging.answer(data) == expected
    assert spool.entries == ([("h", 1, b"a", "A")] if logged else [])
    assert logging.counted == (["asynclog_requests"] if logged else [])


@pytest.mark.parametrize("code", [o.TIMEOUT, o.LOST, o.UNAVAILABLE])
@pytest.mark.parametrize("takes", [True, False])
def test_failures(code, takes):
    spool = Spool(takes)
    logging = world(spool, holds=True)
    sink = logging.ask(DELETE)
    only_host(logging).fail(code)
    assert sink.got == (NOT_FOUND if takes else only_host(logging).failure(code))
    assert spool.entries == [("h", 1, b"a", "A")]
    assert logging.counted == (["asynclog_requests"] if takes else [])


@pytest.mark.parametrize(("key", "logged"), [
    (b"a!b", True), (b"a b", False), (b"a\x1fb", False), (b"a\x7fb", False), (b"a\x80b", True), (b"k" * 186, True),
])  # fmt: skip
def test_only_what_may_be_a_key_is_logged(key, logged):
    spool = Spool()
    logging = world(spool, says={b"md %b b\r\n" % base64.b64encode(key): SERVER_ERROR})
    logging.answer(b"md %b b\r\n" % base64.b64encode(key))
    assert spool.entries == ([("h", 1, key, "A")] if logged else [])


def test_an_unhealthy_host():
    spool = Spool()
    logging = world(spool)
    logging.set_health("h:1", False)
    assert logging.answer(DELETE) == NOT_FOUND
    assert logging.answer(MD) == NF
    assert len(spool.entries) == 2


HOSTS = [
    ("h", ("h", 11211)),
    ("h:5", ("h", 5)),
    ("127.0.0.1:5", ("127.0.0.1", 5)),
    ("[::1]:5", ("::1", 5)),
    ("unix:/run/a.sock", ("/run/a.sock", 0)),
]


@pytest.mark.parametrize(("server", "expected"), HOSTS)
def test_hosts(server, expected):
    spool = Spool()
    world(spool, server, says={DELETE: SERVER_ERROR}).answer(DELETE)
    assert spool.entries == [(*expected, b"a", "A")]


POOL = {"type": "PoolRoute", "pool": "A"}
OPTIONS = [({}, "A"), ({"asynclog": True}, "A"), ({"asynclog_name": "B"}, "B"), ({"asynclog": False}, None)]


@pytest.mark.parametrize(("options", "name"), OPTIONS)
def test_options_of_the_pool(options, name):
    spool = Spool()
    answer = world(spool, route={**POOL, **options}, says={DELETE: SERVER_ERROR}).answer(DELETE)
    assert answer == (SERVER_ERROR if name is None else NOT_FOUND)
    assert [entry[3] for entry in spool.entries] == ([] if name is None else [name])


def test_parents_see_what_became_of_it():
    spool = Spool()
    pools = {name: {"servers": [f"{name}:1"]} for name in "ab"}
    route = {"type": "AllSyncRoute", "children": ["PoolRoute|a", "PoolRoute|b"]}
    logging = World({"pools": pools, "route": route}, spool=spool)
    logging.hosts["a:1"].says[DELETE] = DELETED
    logging.set_health("b:1", False)
    assert logging.answer(DELETE) == NOT_FOUND
    assert spool.entries == [("b", 1, b"a", "b")]


PREFIXED = [(True, b"/x/y/a"), (False, b"a")]


@pytest.mark.parametrize(("keeps", "key"), PREFIXED)
def test_the_key_is_that_which_the_host_sees(keeps, key):
    spool = Spool()
    pools = {
        "A": {"servers": ["h:1"], "keep_routing_prefix": keeps},
        "B": {"servers": ["i:1"], "keep_routing_prefix": True},
    }
    logging = World({"pools": pools, "routes": {"/././": "PoolRoute|B", "/x/y/": "PoolRoute|A"}}, spool=spool)
    logging.set_health("h:1", False)
    logging.answer(b"delete /x/y/a\r\n")
    assert spool.entries == [("h", 1, key, "A")]


@pytest.mark.parametrize(("word", "logged"), [(b"YQ==", [b"a"]), (b"YSBi", []), (b"AA==", []), (b"Cg==", [])])
def test_binary_keys(word, logged):
    spool = Spool()
    logging = world(spool)
    logging.set_health("h:1", False)
    answer = logging.answer(b"md %b b\r\n" % word)
    assert (answer == NF) == bool(logged)
    assert [entry[2] for entry in spool.entries] == logged


@pytest.mark.parametrize("key", [b"k", b"k" * 250])
def test_a_key_of_any_length_is_logged(key):
    spool = Spool()
    logging = world(spool)
    logging.set_health("h:1", False)
    assert logging.answer(b"delete %b\r\n" % key) == NOT_FOUND
    assert [entry[2] for entry in spool.entries] == [key]


def test_only_deletes_with_a_log_come_to_it():
    assert "AsynclogRoute" in world(Spool()).handles(b"delete")
    assert "AsynclogRoute" in world(Spool()).handles(b"md")
    assert "AsynclogRoute" not in world(Spool()).handles(b"get")
    assert "AsynclogRoute" not in world(Spool()).handles(b"set")
    assert "AsynclogRoute" not in world(None).handles(b"delete")
