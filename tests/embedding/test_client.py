"""The client without a socket: each of its methods, the same answers as over a connection, threads, and the end."""

import contextlib
import itertools
import os
import threading

import pytest
from hypothesis import assume, given, settings

from mcrouter import RequestError, Router, RouterError, Settings, load_config
from tests.differential.harness import talk
from tests.differential.lossless import equal
from tests.differential.streams import STREAMS
from tests.embedding.served import QUIET, SAMPLE, served
from tests.support.processes import Memcached, until

DRAWN = int(os.environ.get("CASES", "150"))
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def client():
    with served(2, SAMPLE) as (router, _):
        yield router.client()


CALLS = [  # on a cache in which n is 5 and a is "x"
    (("get", "a"), b"x"),
    (("get", b"a"), b"x"),
    (("get", "none"), None),
    (("get_many", ["a", "none", "n"]), {"a": b"x", "n": b"5"}),
    (("get_many", [b"a", b"a"]), {b"a": b"x"}),
    (("get_many", []), {}),
    (("gets", "none"), (None, None)),
    (("gat", "a", 1000), b"x"),
    (("gat", "none", 1000), None),
    (("set", "b", "text"), True),
    (("set", "b", b"\r\nEND\r\n", 1000, 7), True),
    (("set_many", {"c": "1", "d": b"2"}), []),
    (("set_many", {}), []),
    (("add", "a", "y"), False),
    (("add", "new", "y"), True),
    (("replace", "a", "y"), True),
    (("replace", "none", "y"), False),
    (("append", "a", "y"), True),
    (("append", "none", "y"), False),
    (("prepend", "a", "y"), True),
    (("cas", "a", "y", 1), False),
    (("cas", "none", "y", 1), None),
    (("delete", "a"), True),
    (("delete", "none"), False),
    (("incr", "n"), 6),
    (("incr", "n", 10), 15),
    (("incr", "none"), None),
    (("decr", "n", 10), 0),
    (("touch", "a", 100), True),
    (("touch", "none", 100), False),
    (("flush_all",), None),
    (("flush_all", 1000), None),
    (("command", b"mg a v\r\nget none\r\nset a 0 0 1 noreply\r\nz\r\n"), b"VA 1\r\nx\r\nEND\r\n"),
    (("command", b"nonsense\r\n"), b"ERROR\r\n"),
    (("command", b"quit\r\nget a\r\n"), b""),
    (("command", b""), b""),
]


@pytest.mark.parametrize(("call", "answer"), CALLS, ids=lambda value: repr(value)[:40])
def test_a_method(client, call, answer):
    client.command(b"flush_all\r\nset n 0 0 1\r\n5\r\nset a 0 0 1\r\nx\r\n")
    name, *args = call
    assert getattr(client, name)(*args) == answer


def test_a_value_is_changed_only_by_who_has_seen_it(client):
    client.set("seen", "1")
    value, unique = client.gets("seen")
    assert (value, client.cas("seen", "2", unique), client.cas("seen", "3", unique)) == (b"1", True, False)


def test_its_version_is_the_hosts(client):
    assert client.version() == "1.6.18"


WRONG = [
    (("get", "with space"), ValueError, "invalid key 'with space': expected 1 to 250 bytes without blanks and controls"),
    (("get", ""), ValueError, "invalid key '': expected 1 to 250 bytes without blanks and controls"),
    (("set", "line\r\n", "x"), ValueError, "invalid key 'line\\r\\n': expected 1 to 250 bytes without blanks and controls"),
    (("get_many", ["k" * 251]), ValueError, f"invalid key '{'k' * 251}': expected 1 to 250 bytes without blanks and controls"),
    (("command", b"get a"), ValueError, "the last request is not whole; end its line, or its value, with \\r\\n"),
    (("command", b"set a 0 0 5\r\nab"), ValueError, "the last request is not whole; end its line, or its value, with \\r\\n"),
    (("command", b"set a x 0 5\r\nab"), ValueError, "the last request is not whole; end its line, or its value, with \\r\\n"),
    (("incr", "word"), RequestError, "CLIENT_ERROR cannot increment or decrement non-numeric value"),
    (("incr", "word", -1), RequestError, "CLIENT_ERROR invalid numeric delta argument"),
    (("set", "large", b"x" * 2_000_000), RequestError, "SERVER_ERROR object too large for cache"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=lambda value: repr(value)[:40])
def test_what_is_wrong_is_said(client, call, error, message):
    client.set("word", "word")
    name, *args = call
    with pytest.raises(error) as raised:
        getattr(client, name)(*args)
    assert str(raised.value) == message


def test_no_healthy_host_is_an_error():
    with served() as (router, hosts):
        hosts[0].stop()
        client = router.client()
        for ask in (lambda: client.get("a"), lambda: client.set("a", "x"), lambda: client.get_many(["a", "b"]), client.version):
            with pytest.raises(RequestError, match="SERVER_ERROR mcrouter: "):
                ask()
        assert client.set_many({"a": "1", "b": "2"}) == ["a", "b"]


def test_values_larger_than_any_buffer_pass():
    with served(2, SAMPLE, buffer_size=4096) as (router, hosts):
        for host in hosts:
            host.store.item_max = 1 << 24
        client, value = router.client(), bytes(range(256)) * 20_000
        assert client.set("large", value) and client.get("large") == value
        assert client.get_many(["large", "none"]) == {"large": value}
        assert until(lambda: all(b"large" in host.store.items for host in hosts))


@pytest.fixture(scope="module")
def ways():
    """Two routers before a memcached each: one is asked without a socket, the other over one."""
    with contextlib.ExitStack() as stack:
        hosts = [Memcached("-m", "256").start() for _ in range(2)]
        for host in hosts:
            stack.callback(host.stop)
        routers = [stack.enter_context(Router(before(host), Settings(**QUIET))) for host in hosts]
        yield routers[0].client(), int(routers[1].addresses[0].rpartition(":")[2])


def before(host):
    return load_config('{"orderedPool": ["127.0.0.1:%d"], "route": "DefaultRoute"}' % host.port)


@settings(max_examples=DRAWN)
@given(STREAMS)
def test_it_is_answered_as_over_a_connection(ways, stream):
    client, port = ways
    data = stream[0].replace(b"@", b"%08d" % next(NUMBER))
    assume(b"stats" not in data)
    try:
        ours = client.command(data)
    except ValueError:
        assume(False)
    assert equal(ours, talk(port, [data]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"set a x 0 3\r\nmn\n\r\nmn\r\n", b"CLIENT_ERROR bad command line format\r\nMN\r\n"),
        (b"set a x 0 3\r\nmn\n\r\n", b"CLIENT_ERROR bad command line format\r\n"),
        (b"ms a 0 ! q\r\n\r\n", b"CLIENT_ERROR invalid flag\r\n"),
        (b"mn\r\nset a x 0 x\r\nmn\r\n", b"MN\r\nCLIENT_ERROR bad command line format\r\n"),
        (b"set a 0 0 x noreply\r\nmn\r\n", b""),
        (b"set a 0 0 1\r\nabcmn\r\n", b"CLIENT_ERROR bad data chunk\r\nMN\r\n"),
    ],
)
def test_the_data_of_a_refused_store_is_no_command(client, data, said):
    assert client.command(data) == said


def test_a_get_is_not_answered_from_its_future():
    # it misses at the first host and goes on to the second, which must not have the set that comes after it
    with served(2, SAMPLE) as (router, _):
        assert router.client().command(b"get k\r\nset k 0 0 1\r\nx\r\nget k\r\n") == b"END\r\nSTORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"


def test_threads_share_one():
    with served(2, SAMPLE) as (router, _):
        client, wrong = router.client(), []

        def work(number):
            for turn in range(50):
                key, value = f"{number}:{turn % 5}", b"%d" % (turn + number)
                if not client.set(key, value) or client.get(key) != value or client.get_many([key]) != {key: value}:
                    wrong.append(key)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert router.stats()["requests"]["set"] == 400


def test_it_outlives_a_reload():
    with served(2, SAMPLE) as (router, _):
        client = router.client()
        client.set("k", "x")
        router.reload(router.config)
        assert client.get("k") == b"x"


def test_a_call_under_way_is_answered_before_the_end():
    with served() as (router, hosts):
        hosts[0].faults.delay = 0.3
        answers = []
        thread = threading.Thread(target=lambda: answers.append(router.client().get("k")))
        thread.start()
        until(lambda: router._worker.frontend.calls)
        router.stop(drain=10)
        thread.join()
        assert answers == [None]


def test_a_call_that_the_end_cuts_off_is_told():
    with served() as (router, hosts):
        hosts[0].faults.mute = True
        errors = []

        def ask():
            try:
                router.client().get("k")
            except RouterError as error:
                errors.append(str(error))

        thread = threading.Thread(target=ask)
        thread.start()
        until(lambda: router._worker.frontend.calls)
        router.stop(drain=0)
        thread.join()
        assert errors == ["the router does not serve; ask between start() and stop()"]


def test_before_and_after_it_says_so():
    with served() as (router, _):
        client = router.client()
    with pytest.raises(RouterError, match="the router does not serve; ask between start"):
        client.get("k")


def test_the_loops_own_thread_is_told_that_it_cannot_wait():
    with served() as (router, _):
        client, errors, done = router.client(), [], threading.Event()

        def ask():
            try:
                client.get("k")
            except RuntimeError as error:
                errors.append(str(error))
            done.set()

        router._worker.loop.call_soon_threadsafe(ask)
        assert done.wait(10)
        assert errors == ["the event loop's own thread cannot wait for an answer; ask from another one"]


def test_a_bug_in_a_route_is_told(caplog):
    with served() as (router, _):
        router._worker.frontend.routes_by_command[:] = [None] * len(router._worker.frontend.routes_by_command)
        with pytest.raises(RouterError):
            router.client().get("k")
    assert "unexpected error" in caplog.text


def test_several_event_loops_are_to_be_asked_by_their_address():
    router = Router(load_config('{"orderedPool": ["h"], "route": "NullRoute"}'), Settings(server_event_loops=2))
    with pytest.raises(RouterError, match="needs server_event_loops=1; connect to the router's addresses"):
        router.client()
