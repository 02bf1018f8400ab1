"""A new config while the router serves: taken between two requests, or refused with what is wrong; nobody notices."""

import os
import signal

import pytest

from tests.support.load import Load
from tests.support.processes import config, until

ROUNDS = 100 if "CASES" in os.environ else 12  # of good and bad configs in turn; more in the long form


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


def healthy(router):
    return router.metrics()["mcrouter_upstream_healthy_hosts_total"]


def state(router):
    samples = router.metrics()
    return samples["mcrouter_config_failures_total"], samples["mcrouter_config_last_reload_successful"]


def taken(router):
    return router.log().count(" is in effect")


def connections(host):
    return host.ask(b"stats\r\n").split(b"STAT curr_connections ")[1].split()[0]


def reload(router, text):
    """Writes the file and waits for what becomes of it."""
    done = taken(router) + state(router)[0]
    router.config.write_text(text)
    router.process.send_signal(signal.SIGHUP)
    until(lambda: taken(router) + state(router)[0] > done, "the reload")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_hosts_come_and_go(memcacheds, router, workers):
    hosts = memcacheds(3)
    names = addresses(hosts)
    alone = connections(hosts[0])
    proxy = router(config(names[:1]), "-n", workers, "--disable-reload-configs")
    until(lambda: healthy(proxy) == 1)
    assert proxy.ask(b"set a 0 0 1\r\n1\r\n") == b"STORED\r\n"
    reload(proxy, config(names))
    until(lambda: healthy(proxy) == 3)
    assert proxy.ask(b"set b 0 0 1\r\n2\r\n") == b"STORED\r\n"
    until(lambda: all(host.has(b"b") for host in hosts), "the write to reach the new hosts")
    counted = proxy.metrics()[f'mcrouter_upstream_requests_total{{cmd="set",host="{names[0]}"}}']
    assert counted == 2
    reload(proxy, config(names[1:]))
    until(lambda: healthy(proxy) == 2)
    assert not any(names[0] in sample for sample in proxy.metrics())
    assert proxy.ask(b"get a\r\n") == b"END\r\n"
    assert proxy.ask(b"get b\r\n") == b"VALUE b 0 1\r\n2\r\nEND\r\n"
    until(lambda: connections(hosts[0]) == alone, "its connections to close")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_bad_config_is_refused_and_the_one_before_stays(memcacheds, router, workers):
    hosts = memcacheds(1)
    proxy = router(config(addresses(hosts)), "-n", workers, "--disable-reload-configs")
    assert state(proxy) == (0, 1)
    reload(proxy, "orderedPool: [nonsense:port]\nroute: DefaultRoute\n")
    assert state(proxy) == (1, 0)
    assert f"{proxy.config}:1:15: the port 'port' is not a number; write host:port" in proxy.log()
    assert proxy.ask(b"set a 0 0 1\r\n1\r\nget a\r\n") == b"STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"
    reload(proxy, config(addresses(hosts)))
    assert state(proxy) == (1, 1)
    assert proxy.metrics()["mcrouter_config_age_seconds"] < 60


def test_what_has_no_meaning_is_told_at_the_start_and_at_each_reload(memcacheds, router):
    text = f"_comment: nothing\norderedPool: {addresses(memcacheds(1))}\nroute: DefaultRoute\n"
    proxy = router(text, "--disable-reload-configs")
    told = f"WARNING the config: {proxy.config}:1:1: the "
    until(lambda: proxy.log().count(told) == 1)
    reload(proxy, text)
    assert proxy.log().count(told) == 2


def test_a_changed_file_is_taken_by_itself(memcacheds, router):
    names = addresses(memcacheds(2))
    proxy = router(config(names[:1]))
    proxy.config.write_text(config(names))
    until(lambda: healthy(proxy) == 2 and taken(proxy))
    assert taken(proxy) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_good_and_bad_configs_in_turn_cost_no_client_anything(memcacheds, router, workers):
    names = addresses(memcacheds(3))
    proxy = router(config(names), "-n", workers, "--disable-reload-configs")
    until(lambda: healthy(proxy) == 3)
    texts = [config(names[:2]), "orderedPool: []", config(names), "{", config(names[:1]), config([*names[:1], "127.0.0.1:1"])]
    with Load(proxy.port, 6) as load:
        for turn in range(ROUNDS):
            before = load.answers
            reload(proxy, texts[turn % len(texts)])
            until(lambda: load.answers > before or load.faults, "answers")  # noqa: B023 (asked at once)
    assert load.faults == []
    assert state(proxy)[0] == sum(turn % len(texts) in (1, 3) for turn in range(ROUNDS))
    assert proxy.log().count("Traceback") == 0


def test_a_config_replaced_by_a_fifo_is_refused_and_the_router_ends_on_sigterm(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"))
    proxy.config.unlink()
    os.mkfifo(proxy.config)
    proxy.process.send_signal(signal.SIGHUP)
    until(lambda: "cannot read the config (it is not a regular file)" in proxy.log(), "the config to be refused")
    assert proxy.ask(b"get k\r\n") == b"END\r\n"
    assert proxy.stop() == 0
