"""The seed's sample policy over three real memcacheds, and what happens when one dies, hangs and returns."""

import socket
import time

from tests.support.processes import config, until


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


def test_writes_reach_all_and_a_read_finds_what_only_the_last_has(memcacheds, router):
    hosts = memcacheds(3)
    proxy = router(config(addresses(hosts)))
    assert proxy.ask(b"set k 0 0 1\r\nv\r\n") == b"STORED\r\n"
    until(lambda: all(host.has(b"k") for host in hosts), "the write to reach all")
    for host in hosts[:2]:
        assert proxy_direct(host, b"delete k\r\n") == b"DELETED\r\n"
    assert proxy.ask(b"get k\r\n") == b"VALUE k 0 1\r\nv\r\nEND\r\n"
    proxy_direct(hosts[1], b"set l 7 0 1\r\nw\r\n")
    assert proxy.ask(b"get l m k\r\n") == b"VALUE l 7 1\r\nw\r\nVALUE k 0 1\r\nv\r\nEND\r\n"
    assert proxy.ask(b"version\r\n").startswith(b"VERSION 1.6.18-mcrouter-")
    assert b"STAT host:" + addresses(hosts)[0].encode() + b" healthy\r\n" in proxy.ask(b"stats\r\n")


def proxy_direct(host, data):
    from tests.support.processes import ask

    return ask(host.port, data + b"quit\r\n")


def test_a_killed_host_costs_no_error_and_serves_again_within_an_interval(memcacheds, router):
    hosts = memcacheds(3)
    proxy = router(config(addresses(hosts)), "-H", "300ms")
    answers = []
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as sock, sock.makefile("rb") as replies:
        for turn in range(300):
            if turn == 100:
                hosts[0].kill()
            if turn == 200:
                hosts[0].start()
            sock.sendall(b"set k%d 0 0 3\r\n%03d\r\nget k%d\r\n" % (turn, turn, turn))
            answers.append(replies.readline() + replies.readline() + replies.readline() + replies.readline())
            assert answers[-1] == b"STORED\r\nVALUE k%d 0 3\r\n%03d\r\nEND\r\n" % (turn, turn)
        healthy = "mcrouter_upstream_healthy_hosts_total"
        until(lambda: proxy.metrics()[healthy] == 3, "the restarted host to be healthy")
        sock.sendall(b"set last 0 0 1\r\nx\r\n")
        assert replies.readline() == b"STORED\r\n"
    until(lambda: hosts[0].has(b"last"), "the restarted host to be written to")


def test_a_hung_host_is_answered_for_in_time_and_avoided_after_three_timeouts(memcacheds, router):
    hosts = memcacheds(2, "-vv")
    proxy = router(config(addresses(hosts), "DefaultRoute"), "-r", "1000", "-H", "1h")
    assert proxy.ask(b"set k 0 0 1\r\nv\r\n") == b"STORED\r\n"
    until(hosts[0].is_probed, "the only probe: one that is not answered would count, too")
    hosts[0].freeze()
    name = addresses(hosts)[0]
    for _ in range(3):
        began = time.monotonic()
        answer = proxy.ask(b"get k\r\n")
        assert answer == f"SERVER_ERROR mcrouter: {name}: no reply within 1000 ms\r\n".encode()
        assert time.monotonic() - began >= 0.95
    assert proxy.ask(b"get k\r\n") == b"END\r\n"  # from the second host
    until(lambda: f"host {name} is unhealthy: 3 timeouts in a row" in proxy.log())


def test_a_host_that_hangs_without_traffic_is_found_and_comes_back(memcacheds, router):
    hosts = memcacheds(1)
    proxy = router(config(addresses(hosts), "DefaultRoute"), "-r", "1000", "-H", "200ms")
    healthy = "mcrouter_upstream_healthy_hosts_total"
    hosts[0].freeze()
    until(lambda: proxy.metrics()[healthy] == 0, "the probe to fail")
    assert proxy.ask(b"get k\r\n") == b"SERVER_ERROR mcrouter: no healthy upstream\r\n"
    hosts[0].thaw()
    until(lambda: proxy.metrics()[healthy] == 1, "the probe to pass")
    assert proxy.ask(b"get k\r\n") == b"END\r\n"
