"""Several event loops: exact sums in the metrics, an event loop that dies, draining at the end."""

import os
import signal
import socket

from tests.support.processes import DEADLINE, config, until


def addresses(hosts):
    return [f"127.0.0.1:{host.port}" for host in hosts]


def counted_first(samples):
    return samples if samples["mcrouter_client_connections_total"] else None


def test_metrics_equal_the_traffic_exactly_over_two_shards(memcacheds, router):
    hosts = memcacheds(1)
    proxy = router(config(addresses(hosts), "DefaultRoute"), "-n", "2")
    before = until(lambda: counted_first(proxy.metrics()), "the readiness check's connection to be counted")
    for client in range(20):  # spread over both event loops by the kernel
        proxy.ask(b"set k%d 0 0 1\r\nv\r\n" % client + b"get k%d\r\n" % client * 7 + b"get none\r\nincr none 1\r\n" * 3)
    after = proxy.metrics()
    host = addresses(hosts)[0]
    expected = {"get": 20 * 10, "set": 20, "incr": 60}
    for cmd, count in expected.items():
        assert after[f'mcrouter_requests_total{{cmd="{cmd}"}}'] == count
        assert after[f'mcrouter_request_duration_milliseconds_count{{cmd="{cmd}"}}'] == count
        assert after[f'mcrouter_upstream_requests_total{{cmd="{cmd}",host="{host}"}}'] == count
    assert after[f'mcrouter_upstream_get_hits_total{{host="{host}"}}'] == 20 * 7
    assert after[f'mcrouter_upstream_get_misses_total{{host="{host}"}}'] == 20 * 3
    grown = after["mcrouter_client_connections_total"] - before["mcrouter_client_connections_total"]
    assert grown == 20
    assert f'mcrouter_upstream_errors_total{{cmd="get",host="{host}"}}' not in after
    assert after["mcrouter_upstream_healthy_hosts_total"] == 1


def test_a_shard_that_dies_is_replaced_and_counters_do_not_go_back(memcacheds, router):
    hosts = memcacheds(1)
    proxy = router(config(addresses(hosts), "DefaultRoute"), "-n", "2")
    for _ in range(10):
        proxy.ask(b"get k\r\n")
    counted = proxy.metrics()['mcrouter_requests_total{cmd="get"}']
    victims = proxy.children()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(proxy.children()) - set(victims)) == 2, "new shards")
    assert proxy.ask(b"get k\r\n") == b"END\r\n"
    assert proxy.metrics()['mcrouter_requests_total{cmd="get"}'] == counted + 1
    assert proxy.log().count("ended by signal 9") == 2
    assert proxy.stop() == 0


def test_what_a_terminal_interrupts_is_the_business_of_the_supervisor_alone(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"), "-n", "2")
    children = until(lambda: len(proxy.children()) == 2 and proxy.children())
    for _ in range(10):  # so that both event loops serve
        proxy.ask(b"get k\r\n")
    for pid in children:
        os.kill(pid, signal.SIGINT)
    for _ in range(10):
        assert proxy.ask(b"get k\r\n") == b"END\r\n"
    assert proxy.children() == children
    assert "unexpected error" not in proxy.log() and "replacing it" not in proxy.log()
    assert proxy.stop() == 0


def test_what_is_in_flight_is_answered_before_the_end(memcacheds, router):
    hosts = memcacheds(1)
    proxy = router(config(addresses(hosts), "DefaultRoute"), "-r", "5000", "-H", "1h")
    assert proxy.ask(b"set k 0 0 1\r\nv\r\n") == b"STORED\r\n"
    hosts[0].freeze()
    with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as sock, sock.makefile("rb") as replies:
        sock.sendall(b"get k\r\n")
        asked = 'mcrouter_client_connections'
        until(lambda: proxy.metrics()[asked] == 1)
        proxy.process.terminate()
        until(lambda: not proxy.serves_new(), "the listener to close")
        hosts[0].thaw()
        assert replies.read() == b"VALUE k 0 1\r\nv\r\nEND\r\n"
    assert proxy.stop() == 0


def test_who_waits_for_a_shard_that_dies_is_served_by_the_next(memcacheds, router):
    proxy = router(config(addresses(memcacheds(1)), "DefaultRoute"), "-n", "2")
    victims = until(lambda: len(proxy.children()) == 2 and proxy.children())
    assert proxy.ask(b"get k\r\n") == b"END\r\n"
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)
    clients = [socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) for _ in range(8)]
    for sock in clients:
        sock.sendall(b"get k\r\n")
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    for sock in clients:
        with sock:
            assert sock.recv(100) == b"END\r\n"
    assert proxy.log().count("ended by signal 9") == 2


def test_what_a_host_has_missed_does_not_die_with_a_shard(memcacheds, router):
    hosts = memcacheds(2)
    proxy = router(config(addresses(hosts)), "-n", "2", "-r", "1000", "-H", "200ms")
    healthy = "mcrouter_upstream_healthy_hosts_total"
    assert proxy.ask(b"set a 0 0 1\r\n1\r\n") == b"STORED\r\n"
    until(lambda: hosts[0].has(b"a"))
    hosts[0].freeze()
    until(lambda: proxy.ask(b"get b\r\n") and proxy.metrics()[healthy] == 1)
    assert proxy.ask(b"set a 0 0 1\r\n2\r\n") == b"STORED\r\n"
    victims = proxy.children()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(proxy.children()) - set(victims)) == 2, "new shards")
    hosts[0].thaw()
    until(lambda: proxy.metrics()[healthy] == 2)
    assert not hosts[0].has(b"a")
    assert proxy.ask(b"get a\r\n") == b"VALUE a 0 1\r\n2\r\nEND\r\n"
    assert proxy.log().count("Traceback") == 0
