"""The router's own `stats` with real hosts: what monitoring tools see, a host that dies, several event loops."""

import pytest

from tests.support.exporters import (
    EXPORTER_NUMBERS,
    EXPORTER_SERVER,
    TELEGRAF_INTEGERS,
    exporter_servers,
    exporter_stats,
    telegraf_stats,
)
from tests.support.processes import config, until

FACEBOOK = '{"pools": {"A": {"servers": [%s]}}, "route": "PoolRoute|A"}'


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


def server(proxy, name):
    return exporter_servers(proxy.ask(b"stats servers\r\n"))[f"{name}:ascii:plain:notcompressed-1000"]


@pytest.mark.parametrize("form", ["seed", "facebook"])
def test_tools_find_what_they_need_in_either_form(memcacheds, router, form):
    names = addresses(memcacheds(1))
    text = config(names) if form == "seed" else FACEBOOK % ", ".join(f'"{name}"' for name in names)
    proxy = router(text)
    assert proxy.ask(b"set a 0 0 1\r\n1\r\nget a\r\nget b\r\ndelete a\r\ndelete a\r\n").count(b"\r\n") == 7
    found = exporter_stats(proxy.ask(b"stats all\r\n"))
    assert [float(found[name]) for name in EXPORTER_NUMBERS]
    assert (found["cmd_get_count"], found["cmd_delete_count"], found["num_clients"]) == ("2", "2", "1")
    assert found["commandargs"].startswith("-f ")
    assert [int(telegraf_stats(proxy.ask(b"stats\r\n"))[name]) for name in TELEGRAF_INTEGERS]
    said = server(proxy, names[0])
    assert [float(said[name]) for name in EXPORTER_SERVER]
    assert [said[name] for name in ("stored", "found", "notfound", "deleted", "hard_tko")] == ["1", "1", "2", "1", "0"]
    assert proxy.ask(b"stats nonsense\r\n") == b"CLIENT_ERROR bad stats command\r\n"
    assert proxy.ask(b"stats external\r\n") == b"END\r\n"


def test_a_host_that_dies_is_a_suspect_until_it_is_back(memcacheds, router):
    hosts = memcacheds(2)
    names = addresses(hosts)
    proxy = router(config(names), "-H", "200ms")
    assert proxy.ask(b"stats suspect_servers\r\n") == b"END\r\n"
    hosts[1].kill()
    told = until(lambda: proxy.ask(b"stats suspect_servers\r\n").split(b"\r\n")[:-2])
    assert told[0].startswith(f"STAT {names[1]} status:tko num_failures:".encode())
    until(lambda: server(proxy, names[1])["hard_tko"] == "1")  # a probe that was under way may fail softly first
    assert server(proxy, names[0])["hard_tko"] == "0"
    assert telegraf_stats(proxy.ask(b"stats\r\n"))["num_suspect_servers"] == "1"
    hosts[1].start()
    until(lambda: proxy.ask(b"stats suspect_servers\r\n") == b"END\r\n")


def test_a_host_that_hangs_is_softly_given_up(memcacheds, router):
    hosts = memcacheds(2)
    names = addresses(hosts)
    proxy = router(config(names), "-r", "100", "-H", "200ms")
    hosts[1].freeze()
    until(lambda: b"soft_tko; " in proxy.ask(b"stats servers\r\n"))
    assert b"hard_tko" not in proxy.ask(b"stats servers\r\n")


def test_event_loops_are_summed_up(memcacheds, router):
    names = addresses(memcacheds(1))
    proxy = router(FACEBOOK % f'"{names[0]}"', "-n", "2")
    for _ in range(20):  # spread over both by the kernel
        assert proxy.ask(b"set a 0 0 1\r\n1\r\nget a\r\nget b\r\n").endswith(b"END\r\n")
    until(lambda: exporter_stats(proxy.ask(b"stats all\r\n"))["num_servers_up"] == "2")
    for _ in range(4):
        found = exporter_stats(proxy.ask(b"stats all\r\n"))
        assert (found["cmd_set_count"], found["cmd_get_count"], found["num_proxies"]) == ("20", "40", "2")
        said = server(proxy, names[0])
        assert (said["stored"], said["found"], said["notfound"]) == ("20", "20", "20")


def test_what_goes_nowhere_is_counted(router):
    proxy = router((FACEBOOK % "").replace("PoolRoute|A", "DevNullRoute"))
    assert proxy.ask(b"get a\r\nset a 0 0 1\r\n1\r\n") == b"END\r\nNOT_STORED\r\n"
    assert exporter_stats(proxy.ask(b"stats all\r\n"))["dev_null_requests"] == "2"
