"""Pools: how servers are written, what pools take from each other, timeouts, weights, and options without a meaning."""

import json

import pytest

from mcrouter.config import ConfigError, HostAddress, Timeouts
from mcrouter.server.configs.reading import load_config

from .sketch import sketch


def load(pools, route="PoolRoute|A", **more):
    """A config with these pools."""
    return load_config(json.dumps({"pools": pools, "route": route, **more}), "f")


SERVERS = {
    "a": HostAddress("a", "a", 11211),
    "a:1": HostAddress("a:1", "a", 1),
    "a:1:ascii": HostAddress("a:1", "a", 1),
    "a:1:ascii:plain": HostAddress("a:1", "a", 1),
    "a:1:ascii:plain:notcompressed": HostAddress("a:1", "a", 1),
    "a:1:ASCII": HostAddress("a:1", "a", 1),
    "127.0.0.1:5001": HostAddress("127.0.0.1:5001", "127.0.0.1", 5001),
    "[::1]": HostAddress("[::1]", "::1", 11211),
    "[::1]:12346": HostAddress("[::1]:12346", "::1", 12346),
    "[::1]:12346:ascii:plain": HostAddress("[::1]:12346", "::1", 12346),
    "[fe80::1\\%eth0]:1": HostAddress("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    "unix:/run/a.sock": HostAddress("unix:///run/a.sock", path="/run/a.sock"),
    "unix:///run/a.sock": HostAddress("unix:///run/a.sock", path="/run/a.sock"),
    "unix:/run/a.sock:ascii:plain:notcompressed": HostAddress("unix:///run/a.sock", path="/run/a.sock"),
}


@pytest.mark.parametrize("text", SERVERS)
def test_servers(text):
    assert load({"A": {"servers": [text]}}).hosts == (SERVERS[text],)


BAD_SERVERS = {
    "": "an empty host; write host:port",
    ":1": "an empty host; write host:port",
    "a:": "no port after the ':'; write host:port, or the host alone for port 11211",
    "a::ascii": "bad server 'a::ascii'; write host:port, and an IPv6 address like [::1]:11211",
    "::1": "bad server '::1'; write host:port, and an IPv6 address like [::1]:11211",
    "fe80::a": "bad server 'fe80::a'; write host:port, and an IPv6 address like [::1]:11211",
    "a:1:": "bad server 'a:1:'; write host:port, and an IPv6 address like [::1]:11211",
    "a:1:2": "bad server 'a:1:2'; write host:port, and an IPv6 address like [::1]:11211",
    "a:1:plain": "'plain' is not supported; write ascii in its place, or host:port alone",
    "a:1:thrift": "'thrift' is not supported; write ascii in its place, or host:port alone",
    "[::1:1": "bad server '[::1:1'; write host:port, and an IPv6 address like [::1]:11211",
    "[::g]:1": "'::g' is not an IPv6 address; write one like [::1]:11211",
    "a]:1": "bad host name 'a]'; a name has letters, digits, '-', '_' and single dots",
    "http://a": "unknown scheme 'http://'; write host:port or unix:///path",
    "unix:": "a unix socket without an absolute path; write unix:///path",
    "unix:a": "a unix socket without an absolute path; write unix:///path",
    "unix:/a:ssl": "'ssl' is not supported; write ascii in its place, or host:port alone",
    "unix:/a:ascii:plain:notcompressed:": "bad server 'unix:/a:ascii:plain:notcompressed:'; write nothing after "
    "ascii:plain:notcompressed",
}


@pytest.mark.parametrize("text", BAD_SERVERS)
def test_bad_servers(text):
    with pytest.raises(ValueError) as caught:
        load({"A": {"servers": [text]}})
    assert caught.value.message == BAD_SERVERS[text]


def test_a_host_is_one_host_however_it_is_spelt():
    config = load(
        {"A": {"servers": ["Cache:1", "[::1]:2"]}, "B": {"servers": ["cache.:1:ascii", "[0::1]:2", "x"]}},
        {"type": "AllSyncRoute", "children": ["Pool|A", "Pool|B"]},
    )
    assert [host.text for host in config.hosts] == ["Cache:1", "[::1]:2", "x"]
    assert sketch(config) == "AllSyncRoute(Cache:1, [::1]:2, Cache:1, [::1]:2, x)"


def test_a_pool_that_nobody_names_has_no_hosts():
    config = load({"A": {"servers": ["a:1"]}, "B": {"servers": ["b:1"]}})
    assert [host.text for host in config.hosts] == ["a:1"]


def test_a_server_may_be_a_route():
    pool = {"servers": ["a:1", {"type": "AllSyncRoute", "children": ["PoolRoute|B", "NullRoute"]}]}
    config = load({"A": pool, "B": {"servers": ["b:1"]}})
    assert sketch(config) == "HashRoute(a:1, AllSyncRoute(HashRoute(b:1), NullRoute()))"


TAKEN = [
    ({"servers": ["a:1"]}, ["a:1"], (0, 0)),
    ({"inherit": "B"}, ["b:1", "b:2"], (500, 200)),
    ({"inherit": "B", "servers": ["a:1"]}, ["a:1"], (500, 200)),
    ({"inherit": "B", "server_timeout": 100}, ["b:1", "b:2"], (100, 200)),
    ({"inherit": "C", "connect_timeout": 50}, ["b:1", "b:2"], (900, 50)),
    ({"inherit": "C", "port_override": 7}, ["b:7"], (900, 200)),
]


@pytest.mark.parametrize(("pool", "hosts", "timeouts"), TAKEN)
def test_inherit(pool, hosts, timeouts):
    """What a pool has not, it takes from the one that it inherits from, and so on."""
    others = {
        "C": {"inherit": "B", "server_timeout": 900},
        "B": {"servers": ["b:1", "b:2"], "server_timeout": 500, "connect_timeout": 200},
    }
    config = load({"A": pool, **others})
    assert [host.text for host in config.hosts] == hosts
    assert [tuple(config.timeouts.get(host, (0, 0))) for host in hosts] == [timeouts] * len(hosts)


PORTS = {"a": "a:7", "a:1": "a:7", "[::1]": "[::1]:7", "[::1]:1:ascii": "[::1]:7", "unix:/a": "unix:///a"}


@pytest.mark.parametrize("server", PORTS)
def test_port_override(server):
    config = load({"A": {"servers": [server], "port_override": 7}})
    assert [host.text for host in config.hosts] == [PORTS[server]]
    assert [host.port for host in config.hosts] == [0 if server.startswith("unix") else 7]


TIMEOUTS = [
    ({}, {}, {}, False),
    ({"server_timeout": 300}, {}, {"a:1": (300, 300), "b:1": (300, 300)}, True),
    ({"server_timeout": 300}, {"server_timeout": 300}, {"a:1": (300, 300), "b:1": (300, 300), "c:1": (300, 300)}, False),
    ({"server_timeout": 300}, {"server_timeout": 200}, {"a:1": (300, 300), "b:1": (300, 300), "c:1": (200, 200)}, True),
    ({"server_timeout": 300}, {"connect_timeout": 9}, {"a:1": (300, 300), "b:1": (300, 300), "c:1": (0, 9)}, True),
    ({"server_timeout": 300, "connect_timeout": 5}, {"server_timeout": 100, "connect_timeout": 9},
     {"a:1": (300, 5), "b:1": (300, 9), "c:1": (100, 9)}, True),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "expected", "differ"), TIMEOUTS)
def test_timeouts(first, second, expected, differ):
    """A host of several pools has the longest; connect_timeout is server_timeout where it is not said."""
    pools = {"A": {"servers": ["a:1", "b:1"], **first}, "B": {"servers": ["b:1", "c:1"], **second}}
    config = load(pools, {"type": "AllSyncRoute", "children": ["PoolRoute|A", "PoolRoute|B"]})
    assert config.timeouts == {host: Timeouts(*told) for host, told in expected.items()}
    warning = "f:1:1: the host 'b:1' is in pools with different timeouts, and the longest is used for all of them"
    assert config.warnings == ((warning,) if differ else ())


UNUSED = {
    "region": "r", "cluster": "c", "failure_domains": [1], "hostnames": ["a"], "qos": {"class": 1}, "tko_tracker": {},
    "additional_fanout": 1, "_note": "why", "comment": "why",
}  # fmt: skip


@pytest.mark.parametrize("option", UNUSED)
def test_options_without_a_meaning_get_a_warning(option):
    config = load({"A": {"servers": ["a:1"], option: UNUSED[option]}})
    assert config.warnings == (f"f:1:38: the option {option!r} of a pool has no effect here",)
    assert [host.text for host in config.hosts] == ["a:1"]


ACCEPTED = {"protocol": "ascii", "security_mech": "plain", "use_ssl": False, "keep_routing_prefix": False,
            "error_on_empty": True}  # fmt: skip


def test_what_says_what_is_so_anyway():
    assert load({"A": {"servers": ["a:1"], **ACCEPTED}}).warnings == ()


HASHES = [
    ({}, {}, "a:1, b:1"),
    ({}, {"hash": "Crc32"}, "a:1, b:1, hash_func=Crc32"),
    ({}, {"hash": {"hash_func": "Crc32", "salt": "x"}}, "a:1, b:1, hash_func=Crc32, salt=x"),
    ({}, {"hash": {"salt": "x"}}, "a:1, b:1, salt=x"),
    ({}, {"hash": {"hash_func": "WeightedCh3", "weights": [1, 0.5]}},
     "a:1, b:1, hash_func=WeightedCh3, weights=(1.0, 0.5)"),
    ({"weights": [1, 0]}, {}, "a:1, b:1, hash_func=WeightedCh3, weights=(1.0, 0.0)"),
    ({"weights": [1, 0]}, {"hash": "Crc32"}, "a:1, b:1, hash_func=Crc32, weights=(1.0, 0.0)"),
    ({"weights": [1, 0]}, {"hash": {"salt": "x"}}, "a:1, b:1, hash_func=WeightedCh3, salt=x, weights=(1.0, 0.0)"),
    ({"weights": [1, 0]}, {"hash": {"hash_func": "WeightedCh3", "weights": [0.5]}},
     "a:1, b:1, hash_func=WeightedCh3, weights=(0.5,)"),
    ({"error_on_empty": False}, {}, "a:1, b:1, error_on_empty=False"),
]  # fmt: skip


@pytest.mark.parametrize(("pool", "route", "expected"), HASHES)
def test_hash(pool, route, expected):
    """A pool's weights mean WeightedCh3, and what the route says of the hash counts more."""
    config = load({"A": {"servers": ["a:1", "b:1"], **pool}}, {"type": "PoolRoute", "pool": "A", **route})
    assert sketch(config) == f"HashRoute({expected})"


TAGS = [
    ({}, {}, ("a:1", "1", "b:1")),
    ({"tags": ["x", "y", "z"]}, {}, ("x", "y", "z")),
    ({"tags": ["x", "y", "z"]}, {"hash": {"tags": ["1", "2", "3"]}}, ("1", "2", "3")),
]


@pytest.mark.parametrize(("pool", "route", "expected"), TAGS)
def test_tags(pool, route, expected):
    """What hashes by name call the servers: by their tags, else by what they are, a route by its place."""
    servers = ["a:1", {"type": "NullRoute"}, "b:1"]
    config = load({"A": {"servers": servers, **pool}}, {"type": "PoolRoute", "pool": "A", **route})
    assert config.routes[config.routes[config.route].args["routes"]["/././"]].args["tags"] == expected


def test_a_pool_in_its_place():
    """A pool can be defined where it is used; of several with one name the first counts."""
    inline = {"type": "PoolRoute", "pool": {"name": "B", "servers": ["b:1", "b:2"], "server_timeout": 100}}
    again = {"type": "PoolRoute", "pool": {"name": "B", "servers": ["c:1", "c:2"]}}
    known = {"type": "PoolRoute", "pool": {"name": "A", "servers": ["d:1"]}}
    route = {"type": "AllSyncRoute", "children": [inline, again, "PoolRoute|B", known]}
    config = load({"A": {"servers": ["a:1", "a:2"]}}, route)
    second = "HashRoute(b:1, b:2)"
    assert sketch(config) == f"AllSyncRoute({second}, {second}, {second}, HashRoute(a:1, a:2))"
    assert config.timeouts == {"b:1": Timeouts(100, 100), "b:2": Timeouts(100, 100)}


def test_keep_routing_prefix():
    pools = {"A": {"servers": ["a:1", "b:1"], "keep_routing_prefix": True}, "B": {"servers": ["a:1", "c:1"]}}
    config = load(pools, {"type": "AllSyncRoute", "children": ["PoolRoute|A", "PoolRoute|B", "Pool|A"]})
    expected = "AllSyncRoute(HashRoute(keep(a:1), keep(b:1)), HashRoute(a:1, c:1), keep(a:1), keep(b:1))"
    assert sketch(config) == expected


@pytest.mark.parametrize("children", [lambda pool: [pool], lambda pool: ["NullRoute", {"type": "FailoverRoute", "children": [pool]}]])
def test_pools_may_be_defined_in_routes_alone(children):
    pool = {"type": "PoolRoute", "pool": {"name": "A", "servers": ["a:1"]}}
    config = load_config(json.dumps({"route": {"type": "AllSyncRoute", "children": children(pool)}}))
    assert [host.text for host in config.hosts] == ["a:1"]


BOUNDS = {
    "server_timeout": (1, 3_600_000),
    "connect_timeout": (1, 3_600_000),
    "port_override": (1, 65535),
    "weights": (0, 1_000_000_000),
}


@pytest.mark.parametrize("option", BOUNDS)
def test_both_sides_of_each_bound(option):
    def load_with(value):
        value = [value] if option == "weights" else value
        pools = {"A": {"servers": ["a:1"], option: value}}
        return load_config(json.dumps({"pools": pools, "route": {"type": "HashRoute", "children": "Pool|A"}}), "f")

    for right in BOUNDS[option]:
        load_with(right)
    for wrong in (BOUNDS[option][0] - 1, BOUNDS[option][1] + 1):
        with pytest.raises(ConfigError, match=f"{option}.*; write a.* from {BOUNDS[option][0]} to "):
            load_with(wrong)
