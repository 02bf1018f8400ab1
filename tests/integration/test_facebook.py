"""What facebook/mcrouter's users know, over real memcacheds: error styles, flags that change answers, the async log."""

import json

from mcrouter.cli.main import main
from tests.support.processes import ask as ask_to_the_end
from tests.support.processes import free_port, until
from tests.support.wire import Wire

LONG = b"k" * 251


def ask(port, data):
    """What is answered to `data`."""
    return ask_to_the_end(port, data + b"quit\r\n")


def pool(*hosts):
    return json.dumps({"pools": {"A": {"servers": [f"127.0.0.1:{port}" for port in hosts]}}, "route": "PoolRoute|A"})


def test_memcacheds_style_keeps_the_connection(memcacheds, router):
    (host,) = memcacheds(1)
    proxy = router(pool(host.port))
    assert ask(proxy.port, b"nonsense\r\nget " + LONG + b"\r\nget a\r\n") == (
        b"ERROR\r\nCLIENT_ERROR bad command line format\r\nEND\r\n"
    )


def test_mcrouters_style(memcacheds, router):
    (host,) = memcacheds(1)
    proxy = router(pool(host.port), "--error-style", "mcrouter")
    with Wire(proxy.port) as wire:
        wire.send(b"get " + LONG + b"\r\nget a\r\nnonsense\r\nget a\r\n")
        assert wire.read_to_close() == b"CLIENT_ERROR bad key\r\nEND\r\nCLIENT_ERROR malformed request\r\n"


def test_errors_of_hosts_in_mcrouters_style(memcacheds, router):
    proxy = router(pool(free_port()), "--error-style", "mcrouter")
    until(lambda: proxy.metrics()["mcrouter_upstream_healthy_hosts_total"] == 0)
    assert ask(proxy.port, b"get a\r\n") == b"SERVER_ERROR Server unavailable. Reason: mc_res_connect_error\r\n"
    (host,) = memcacheds(1)
    proxy = router(pool(host.port), "--error-style", "mcrouter", "--server-timeout", "1000", "--timeouts-until-tko", "1000")
    assert ask(proxy.port, b"get a\r\n") == b"END\r\n"
    until(lambda: proxy.metrics()['mcrouter_upstream_connections_total{host="127.0.0.1:%d"}' % host.port] >= 1)
    host.freeze()
    assert ask(proxy.port, b"get a\r\n") == b"SERVER_ERROR Reply timeout\r\n"
    host.thaw()


def test_only_gets(memcacheds, router):
    (host,) = memcacheds(1)
    proxy = router(pool(host.port), "--allow-only-gets")
    answers = ask(proxy.port, b"set a 0 0 1\r\nx\r\nget a\r\ndelete a\r\nversion\r\n").split(b"\r\n")
    refused = b"SERVER_ERROR mcrouter: only gets are served (--allow-only-gets)"
    assert answers[:3] == [refused, b"END", refused] and answers[3].startswith(b"VERSION ")


def test_flush_all(memcacheds, router):
    hosts = memcacheds(2)
    text = pool(*(host.port for host in hosts))
    assert ask(router(text).port, b"flush_all\r\n") == b"SERVER_ERROR Command disabled\r\n"
    for host in hosts:
        assert ask(host.port, b"set a 0 0 1\r\nx\r\n") == b"STORED\r\n"
    assert ask(router(text, "--enable-flush-cmd").port, b"flush_all\r\n") == b"OK\r\n"
    assert [ask(host.port, b"get a\r\n") for host in hosts] == [b"END\r\n"] * 2


def test_prefixes(memcacheds, router):
    first, second = memcacheds(2)
    pools = {"A": {"servers": [f"127.0.0.1:{first.port}"]}, "B": {"servers": [f"127.0.0.1:{second.port}"]}}
    text = json.dumps({"pools": pools, "routes": {"/a/x/": "PoolRoute|A", "/b/x/": "PoolRoute|B"}})
    proxy = router(text, "-R", "/a/x/")
    asked = ask(proxy.port, b"set k 0 0 1\r\n1\r\nset /b/x/k 0 0 1\r\n2\r\nget k /b/x/k\r\nget /c/x/k\r\n")
    values = b"VALUE k 0 1\r\n1\r\nVALUE /b/x/k 0 1\r\n2\r\nEND\r\n"
    assert asked == b"STORED\r\nSTORED\r\n" + values + b"SERVER_ERROR RootRoute: No rh found\r\n"
    assert ask(second.port, b"get k\r\n") == b"VALUE k 0 1\r\n2\r\nEND\r\n"
    proxy = router(text, "-R", "/a/x/", "--send-invalid-route-to-default")
    assert ask(proxy.port, b"get /c/x/k\r\n") == b"VALUE /c/x/k 0 1\r\n1\r\nEND\r\n"


def test_deletes_that_cannot_be_delivered_are_kept_and_replayed(memcacheds, router, tmp_path, capsys):
    (host,) = memcacheds(1)
    assert ask(host.port, b"set k 0 0 1\r\nx\r\n") == b"STORED\r\n"
    gone = free_port()
    proxy = router(pool(gone), "--async-dir", str(tmp_path))
    until(lambda: proxy.metrics()["mcrouter_upstream_healthy_hosts_total"] == 0)
    assert ask(proxy.port, b"delete k\r\n") == b"NOT_FOUND\r\n"
    assert ask(proxy.port, b"set k 0 0 1\r\nx\r\n").startswith(b"SERVER_ERROR ")
    assert main(["replay", str(tmp_path), "--host", f"127.0.0.1:{gone}=127.0.0.1:{host.port}"]) == 0
    assert "1 delivered, 0 stay" in capsys.readouterr().out
    assert ask(host.port, b"get k\r\n") == b"END\r\n"
    proxy = router(pool(gone), "--async-dir", str(tmp_path), "--asynclog-disable")
    until(lambda: proxy.metrics()["mcrouter_upstream_healthy_hosts_total"] == 0)
    assert ask(proxy.port, b"delete k\r\n").startswith(b"SERVER_ERROR ")


def test_a_changed_import_is_read_again(memcacheds, router, tmp_path):
    first, second = memcacheds(2)
    shared = tmp_path / "pools.json"
    shared.write_text(json.dumps({"A": {"servers": [f"127.0.0.1:{first.port}"]}}))
    proxy = router(json.dumps({"pools": f"@import({shared})", "route": "PoolRoute|A"}), "--reconfiguration-delay-ms", "20")
    assert ask(proxy.port, b"set k 0 0 1\r\n1\r\n") == b"STORED\r\n"
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps({"A": {"servers": [f"127.0.0.1:{second.port}"]}}))
    changed.replace(shared)
    until(lambda: ask(proxy.port, b"get k\r\n") == b"END\r\n")
