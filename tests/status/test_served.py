"""The page and its facts, of routers that run."""

import json
import urllib.request

import pytest

from mcrouter import RequestError, load_config
from tests.embedding.served import SAMPLE, served
from tests.engine.hosts import LineHost
from tests.engine.hosts import router as before
from tests.status.test_page import read
from tests.support.processes import DEADLINE, RouterProcess, config, until

METRICS = {"metrics_listen_addr": "127.0.0.1:0"}


def fetch(address, path, method="GET"):
    request = urllib.request.Request(f"http://{address}{path}", method=method)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def status(router):
    kind, text = fetch(router.metrics_address, "/status.json")
    assert kind == "application/json"
    return json.loads(text)


@pytest.mark.parametrize("loops", [1, 2])
def test_its_facts_are_those_of_the_router(loops):
    with served(2, SAMPLE, server_event_loops=loops, healthcheck_interval=0.2, **METRICS) as (router, hosts):
        until(lambda: {host["state"] for host in status(router)["hosts"]} == {"healthy"})
        until(lambda: [host["connections"] for host in status(router)["hosts"]] == [loops] * 2)
        facts = status(router)
        assert (facts["name"], facts["loops"], facts["listen"]) == ("mcrouter", loops, router.addresses)
        assert facts["metrics"] == router.metrics_address
        assert facts["started"] <= facts["config"]["since"] <= facts["now"]
        assert facts["config"]["last_error"] is None and facts["config"]["file"] == ""
        assert [host["host"] for host in facts["hosts"]] == [host.address for host in hosts]
        assert "MissFailoverRoute" in facts["routes"]
        hosts[0].stop()
        until(lambda: status(router)["hosts"][0]["state"] == "unhealthy")
        until(lambda: status(router)["changes"])
        until(lambda: status(router)["hosts"][0]["why"] == "connections to it cannot be opened")
        facts = status(router)
        change = facts["changes"][-1]
        assert (change["host"], change["to"]) == (hosts[0].address, "unhealthy")
        assert facts["started"] <= change["at"] <= facts["now"] and facts["hosts"][0]["since"] == change["at"]
        kind, text = fetch(router.metrics_address, "/")
        assert kind == "text/html; charset=utf-8"
        assert "1 of 2 hosts is not healthy" in "".join(read(text).text)
        assert fetch(router.metrics_address, "/", "HEAD") == (kind, "")


def test_what_was_asked_is_counted():
    with served(1, **METRICS) as (router, _):
        client = router.client()
        client.set("k", "x")
        client.get_many(["k", "none", "other"])
        router._pages.history.look()
        (host,) = status(router)["hosts"]
        assert (host["requests"], host["errors"], host["error_rate"], host["hit_rate"]) == (2, 0, 0.0, pytest.approx(1 / 3))
        assert host["requests_per_second"] > 0 and host["p50"] is not None
        assert len(host["history"]["hit_rate"]) == 1


def test_hosts_of_a_new_config_are_there_at_once():
    with served(2, **METRICS) as (router, hosts):
        router.reload(load_config(json.dumps({"orderedPool": [hosts[1].address, "127.0.0.1:1"], "route": "DefaultRoute"})))
        assert [host["host"] for host in status(router)["hosts"]] == [hosts[1].address, "127.0.0.1:1"]


def test_a_large_policy_is_not_drawn():
    with served(1, **METRICS) as (router, _):
        many = {"type": "RandomRoute", "children": [{"type": "NullRoute", "name": f"n{number}"} for number in range(400)]}
        router.reload(load_config(json.dumps({"pools": {}, "route": many})))
        facts = status(router)
        assert facts["routes"] == "402 routes are too many to show here; mcrouter graph shows them"
        assert facts["hosts"] == []


def test_the_config_file_and_why_the_newest_is_refused():
    router = RouterProcess(config(["127.0.0.1:1"]), "--reconfiguration-delay-ms", "20")
    try:
        address = f"127.0.0.1:{router.metrics_port}"

        def known():
            return json.loads(fetch(address, "/status.json")[1])["config"]

        assert known()["file"] == str(router.config)
        router.config.write_text("orderedPool: [a]\nroute: NoRoute\n")
        until(lambda: known()["last_error"])
        error = known()["last_error"]["text"]
        assert error.startswith(f"{router.config}:2:8: unknown route 'NoRoute'") and known()["failures"] == 1
        assert "The newest config was refused" in fetch(address, "/")[1]
        router.config.write_text(config(["127.0.0.1:2"]))
        until(lambda: known()["last_error"] is None)
        assert "was refused" not in fetch(address, "/")[1]
    finally:
        router.stop()


WRONG = [
    (lambda host: host.stop(), "connections to it cannot be opened"),
    (lambda host: setattr(host.faults, "mute", True), "it does not answer probes"),
    (lambda host: setattr(host.faults, "garbage", b"x\r\n"), "it answers probes wrongly"),
]


@pytest.mark.parametrize(("spoil", "why"), WRONG, ids=[why for _, why in WRONG])
def test_what_is_wrong_with_a_host_is_told_until_it_is_well(spoil, why):
    with served(1, healthcheck_interval=0.05, timeout_ms=100, **METRICS) as (router, hosts):
        spoil(hosts[0])
        until(lambda: (status(router)["hosts"][0]["state"], status(router)["hosts"][0]["why"]) == ("unhealthy", why))
        hosts[0].faults.clear()
        hosts[0].start()
        until(lambda: status(router)["hosts"][0]["state"] == "healthy")
        assert status(router)["hosts"][0]["why"] is None


def test_requests_that_are_not_answered_are_what_is_wrong_with_a_host():
    with LineHost(lambda _line: b"") as host, before(host, timeout_ms=50, timeouts_until_tko=1, **METRICS) as router:
        with pytest.raises(RequestError):
            router.client().get("k")
        assert status(router)["hosts"][0]["why"] == "it does not answer requests in time"
