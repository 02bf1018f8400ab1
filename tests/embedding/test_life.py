"""A router in a program: it starts, reloads and stops, says what is wrong, and leaves nothing behind."""

import gc
import json
import logging
import os
import random
import select
import signal
import socket
import threading
from pathlib import Path

import pytest

from mcrouter import ConfigError, Router, RouterError, Settings, load_config
from mcrouter.system.interpreter import freeze_gc, without_collection
from tests.embedding.served import QUIET, SAMPLE, config, served
from tests.support.processes import ask, until

NULL = '{"orderedPool": ["127.0.0.1:1"], "route": "NullRoute"}'


def descriptors():
    return {(name, os.readlink(f"/proc/self/fd/{name}")) for name in os.listdir("/proc/self/fd") if Path(f"/proc/self/fd/{name}").exists()}


def port(router):
    return int(router.addresses[0].rpartition(":")[2])


@pytest.mark.parametrize("loops", [1, 2])
def test_nothing_is_left(loops):
    threads, open_before = threading.enumerate(), descriptors()
    with served(2, SAMPLE, server_event_loops=loops, metrics_listen_addr="127.0.0.1:0") as (router, hosts):
        assert ask(port(router), b"set k 0 0 1\r\nx\r\nget k\r\nquit\r\n") == b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
        idle = socket.create_connection(("127.0.0.1", port(router)))
        router.reload(config(hosts[:1]))
        assert ask(port(router), b"get k\r\nquit\r\n") == b"VALUE k 0 1\r\nx\r\nEND\r\n"
    idle.close()
    gc.collect()
    assert threading.enumerate() == threads
    assert descriptors() == open_before


def test_nothing_is_left_of_names_that_are_resolved():
    threads, open_before = threading.enumerate(), descriptors()
    with Router(load_config('{"orderedPool": ["localhost:1"], "route": "DefaultRoute"}'), Settings(**QUIET)):
        pass
    assert threading.enumerate() == threads
    assert descriptors() == open_before


def test_what_belongs_to_the_program_is_not_touched():
    handlers = [signal.getsignal(number) for number in range(1, signal.NSIG)]
    root, loggers = list(logging.getLogger().handlers), logging.getLogger("mcrouter").level
    frozen, environment, drawn = gc.get_freeze_count(), dict(os.environ), random.getstate()
    with served(2, SAMPLE) as (router, hosts):
        router.reload(config(hosts))
        until(lambda: router.client().get("k") is None)
        assert gc.isenabled()
    assert [signal.getsignal(number) for number in range(1, signal.NSIG)] == handlers
    assert signal.set_wakeup_fd(-1) == -1
    assert (logging.getLogger().handlers, logging.getLogger("mcrouter").level) == (root, loggers)
    assert (gc.get_freeze_count(), dict(os.environ), random.getstate()) == (frozen, environment, drawn)


def test_pypy_has_no_gc_freeze(monkeypatch):
    monkeypatch.delattr(gc, "freeze")
    freeze_gc()
    with without_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_two_do_not_disturb_each_other():
    with served(1) as (one, _), served(1) as (other, others):
        clients = one.client(), other.client()
        for number, client in enumerate(clients):
            client.set("k", b"%d" % number)
        assert [client.get("k") for client in clients] == [b"0", b"1"]
        assert [router.stats()["requests"] for router in (one, other)] == [{"get": 1, "set": 1}] * 2
        one.reload(load_config(NULL))
        assert [client.get("k") for client in clients] == [None, b"1"]
        one.stop()
        others[0].faults.clear()
        assert clients[1].get("k") == b"1"
        assert ask(port(other), b"get k\r\nquit\r\n") == b"VALUE k 0 1\r\n1\r\nEND\r\n"


def test_port_0_is_a_port_that_it_tells():
    with served(1, metrics_listen_addr="127.0.0.1:0") as (router, _):
        assert port(router) > 0 and int(router.metrics_address.rpartition(":")[2]) > 0


def test_stats_say_what_was_counted_and_how_the_hosts_are():
    with served(2) as (router, hosts):
        client = router.client()
        client.set("k", "x")
        client.get_many(["k", "none"])
        facts = router.stats()
        assert facts.pop("uptime") >= 0
        first = {"healthy": True, "connections": 1, "requests": 2, "errors": 0, "hits": 1, "misses": 1}
        second = {"healthy": True, "connections": 1, "requests": 0, "errors": 0, "hits": 0, "misses": 0}
        until(lambda: router.stats()["hosts"][hosts[1].address]["connections"] == 1)
        facts = router.stats()
        del facts["uptime"]
        hosts_now = {hosts[0].address: first, hosts[1].address: second}
        assert facts == {"clients": 0, "requests": {"get": 1, "set": 1}, "hosts": hosts_now}
        hosts[0].stop()
        until(lambda: not router.stats()["hosts"][hosts[0].address]["healthy"])


def test_serve_blocks_until_stop():
    router = Router(load_config(NULL), Settings(**QUIET))
    timer = threading.Timer(0.0, lambda: until(lambda: router.addresses) and router.stop())
    timer.start()
    router.serve()
    timer.join()
    assert not router._by_address


def test_a_stop_that_comes_before_serve_counts():
    before = descriptors()
    router = Router(load_config(NULL), Settings(**QUIET))
    router.bind()
    router.stop()
    router.serve()
    assert descriptors() == before


@pytest.mark.parametrize(("place", "reason"), [("file", "Not a directory"), ("file/below", "Not a directory"), ("locked/new", "Permission denied")])
def test_an_async_dir_that_cannot_be_written_to_is_refused_at_the_start(place, reason, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "locked").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("locked") and access(path, mode))  # root may write
    before = descriptors()
    router = Router(load_config(NULL), Settings(**QUIET, async_dir=str(tmp_path / place)))
    told = f"cannot use --async-dir {tmp_path / place}: .*{reason}; name a folder that this process can write to"
    with pytest.raises(RouterError, match=told):
        router.start()
    assert descriptors() == before


@pytest.mark.parametrize("more", [{"async_dir": "new/below"}, {"async_dir": "file", "asynclog_disable": True}])
def test_an_async_dir_that_is_not_there_yet_is_made_later(more, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with Router(load_config(NULL), Settings(**QUIET, **more)):
        assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = taken.getsockname()[1]
        before = descriptors()
        for settings in ({"listen": f"tcp://127.0.0.1:{where}"}, {"metrics_listen_addr": f"127.0.0.1:{where}"}):
            with pytest.raises(RouterError, match=f"cannot listen on .*127.0.0.1:{where}"):
                Router(load_config(NULL), Settings(**{**QUIET, **settings})).start()
        assert descriptors() == before


def test_one_that_was_bound_and_never_served_is_closed():
    before = descriptors()
    router = Router(load_config(NULL), Settings(**{**QUIET, "metrics_listen_addr": "127.0.0.1:0"}))
    router.bind()
    router.stop()
    router.stop()
    assert descriptors() == before


def test_after_its_end_it_does_nothing_more():
    with served(1) as (router, hosts):
        pass
    before = descriptors()
    router.stop()
    for again in (router.start, router.serve, router.bind, lambda: router.reload(config(hosts))):
        with pytest.raises(RouterError, match="the router has been stopped; make another"):
            again()
    # a descriptor that was the router's may be somebody else's now: nothing is written to it
    ends = [socket.socketpair() for _ in range(8)]
    router.stop()
    readable = select.select([end for pair in ends for end in pair], [], [], 0)[0]
    for pair in ends:
        for end in pair:
            end.close()
    assert not readable
    assert descriptors() == before


def test_a_router_that_serves_does_not_start_again(capfd):
    with served(1) as (router, _):
        for again in (router.start, router.serve):
            with pytest.raises(RouterError, match="the router serves already; make another"):
                again()
        assert router.client().get("k") is None
    assert capfd.readouterr().err == ""


def test_stop_lets_what_was_asked_be_answered():
    with served(1) as (router, hosts):
        hosts[0].faults.delay = 0.3
        with socket.create_connection(("127.0.0.1", port(router))) as sock, sock.makefile("rb") as answers:
            sock.sendall(b"get k\r\n")
            until(lambda: any(client.queue for client in router._worker.frontend.clients.values()))
            router.stop(drain=10)
            assert answers.read() == b"END\r\n"


def test_a_config_is_a_text_or_a_file(tmp_path):
    path = tmp_path / "router.json"
    path.write_text(NULL)
    configs = [load_config(one) for one in (NULL, NULL.encode(), path, str(path), "orderedPool: [127.0.0.1:1]\nroute: NullRoute")]
    assert {(one.hosts, one.routes[one.route].type) for one in configs} == {(configs[0].hosts, "NullRoute")}
    assert [one.source for one in configs] == ["config", "config", str(path), str(path), "config"]


WRONG = [
    ("no-such-file.json", "no-such-file.json: cannot read the config (No such file or directory); name a file that can be read, or - for standard input"),
    ("", "config:1:1: "),
    ('{"route": 1}', "config:1:"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_config_that_cannot_be_used(text, message):
    with pytest.raises(ConfigError) as raised:
        load_config(text)
    assert str(raised.value).startswith(message)


def test_a_config_that_cannot_be_taken_changes_nothing():
    with served(1, server_event_loops=2) as (router, _):
        many = json.dumps({"orderedPool": [f"127.0.0.1:{number}" for number in range(1, 1000)], "route": "DefaultRoute"})
        with pytest.raises(ValueError, match="restart the router"):
            router.reload(load_config(many))
        assert ask(port(router), b"get k\r\nquit\r\n") == b"END\r\n"
