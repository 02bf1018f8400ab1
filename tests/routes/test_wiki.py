"""What the pages of facebook/mcrouter's wiki promise of their example configs: who is asked, and what the answer is, when
hosts have the key or not, fail, are silent or are known to be unhealthy."""

import itertools

import pytest

from mcrouter.proto import outcomes as o
from mcrouter.proto.commands import BY_VERB, DELETE, VALUES
from tests.config.wiki_configs import CONFIGS, load

from .script import DELETED, MISS, NOT_FOUND, NOT_STORED, SERVER_ERROR, STORED, Host, hit
from .world import World

HIT, MISSES, FAILS, SILENT, DOWN = "hit", "miss", "error", "timeout", "down"


class Acting(Host):
    """A host that has every key, with its own name as the value, or misses, fails or is silent."""

    def __init__(self, name, log):
        super().__init__(name)
        self.act = HIT
        self._log = log
        self.label = label(name)

    def send(self, request, sink, since=None):
        """Answers at once."""
        self._log.append((self.label, bytes(request.data)))
        sink.on_reply(*self._answer(request))

    def _answer(self, request):
        command = BY_VERB[bytes(request.data).split()[0]]
        if self.act == SILENT:
            return self.failure(o.TIMEOUT)
        if self.act == FAILS:
            return SERVER_ERROR
        has = self.act == HIT
        if command.reply == VALUES:
            return hit(request.keys()[0], self.label.encode()) if has else MISS
        if command.kind == DELETE:
            return DELETED if has else NOT_FOUND
        return STORED if has else NOT_STORED


def label(name):
    """A host's name without its port."""
    return name.rsplit(":", 1)[0]


class Case:
    """A config over such hosts; `acts` by their labels, the others hit."""

    def __init__(self, name, acts):
        self.log = []
        config = load(name)
        hosts = {host.text: Acting(host.text, self.log) for host in config.hosts}
        self.world = World(config, hosts)
        for host in hosts.values():
            host.act = acts.get(host.label, HIT)
            if host.act == DOWN:
                self.world.set_health(host.name, False)

    def ask(self, line):
        """The answer to a request, in a word, and who was asked for what."""
        del self.log[:]
        verb, key, *rest = line.split()
        data = " ".join([verb, key, *(rest or ["0", "0", "1"])]) + "\r\nx" if verb in ("set", "add") else line
        sink = self.world.ask(data.encode() + b"\r\n")
        return word(sink.got, key), [(host, data.decode().strip()) for host, data in self.log]

    def key_of(self, host, prefix=""):
        """A key that takes the way to a host."""
        keys = (f"{prefix}k{number}" for number in itertools.count())
        return next(key for key in keys if self.ask(f"get {key}")[1][0][0] == host)


def word(answer, key):
    """An answer: whose value it is, who failed and how, or what it says."""
    reply = answer[0].decode()
    if reply.startswith("VALUE "):
        assert reply.split()[1] == key
        return reply.split("\r\n")[1]
    for ending, what in ((": it failed\r\n", SILENT), (": it is unhealthy\r\n", DOWN)):
        if reply.endswith(ending):
            return f"{what} {label(reply[: -len(ending)].split(': ', 1)[1])}"
    return FAILS if answer == SERVER_ERROR else reply.strip()


def plain(act, line, host):
    """What a single host answers."""
    if act in (SILENT, DOWN):
        return f"{act} {host}"
    verb = line.split()[0]
    says = {"get": (host, "END"), "set": ("STORED", "NOT_STORED"), "delete": ("DELETED", "NOT_FOUND")}[verb]
    return FAILS if act == FAILS else says[act == MISSES]


# a key's host is asked, and nobody else, whatever comes of it ---------------------------------------------------------

ONE_HOST = [
    # the config, a key, or the prefix of keys that hash to the host, the host, the key that it sees
    ("Home_1", "key", "127.0.0.1", "key"),
    ("Sharded-pools-setup_1", "", "127.0.0.1", None),
    ("Sharded-pools-setup_1", "", "[::1]", None),
    ("Config-Files_1", "", "127.0.0.1", None),
    ("Config-Files_1", "/regionA/clusterA/", "[::1]", None),
    ("Config-Files_1", "/regionA/clusterB/", "memcached123.somedomain", None),
    ("Config-Files_2", "", "my1", None),
    ("Config-Files_2", "", "my2", None),
    ("Config-Files_3", "", "my1", None),
    ("Config-Files_3", "", "my2", None),
    ("Config-Files_4", "/a/a/abcd", "b", "abcd"),
    ("Config-Files_4", "/a/a/acdc", "a", "acdc"),
    ("Config-Files_4", "/a/a/b", "c", "b"),
    ("Config-Files_4", "abcd", "b", "abcd"),
    ("List-of-Route-Handles_1", "shr:a", "shared", "shr:a"),
    ("List-of-Route-Handles_1", "a", "local", "a"),
    ("List-of-Route-Handles_2", "", "my1", None),
    ("List-of-Route-Handles_2", "", "my2", None),
    ("List-of-Route-Handles_3", "key", "my1", "key"),
    ("Prefix-routing-setup_1", "abcd", "w1", "abcd"),
    ("Prefix-routing-setup_1", "bar", "w2", "bar"),
    ("Prefix-routing-setup_1", "zzz", "common", "zzz"),
    ("Multi-cluster-broadcast-setup_1", "/a/a/key", "a", "key"),
    ("Multi-cluster-broadcast-setup_1", "/A/A/other_key", "a", "other_key"),
    ("Multi-cluster-broadcast-setup_1", "/b/b/yet_another_key", "b", "yet_another_key"),
    *(
        (f"Routing-Prefix_{number}", *row)
        for number in (1, 2)
        for row in (
            ("a", "local0", "a"),
            ("/datacenter/cluster0/a", "local0", "a"),
            ("/datacenter/cluster1/a", "local1", "a"),
            ("shr:a", "shared", "shr:a"),
            ("/datacenter/cluster1/shr:a", "shared", "shr:a"),
        )
    ),
]


@pytest.mark.parametrize(("name", "key", "host", "seen"), ONE_HOST)
@pytest.mark.parametrize("act", [HIT, MISSES, FAILS, SILENT, DOWN])
def test_one_host(name, key, host, seen, act):
    if seen is None:
        prefix = key
        key = Case(name, {}).key_of(host, prefix)
        seen = key[len(prefix) :]
    for line in (f"get {key}", f"set {key} 0 5 1", f"delete {key}"):
        answer, asked = Case(name, {host: act}).ask(line)
        assert answer == plain(act, line, host)
        assert asked == ([] if act == DOWN else [(host, asked[0][1])])
        assert all(data.startswith(line.replace(key, seen)) for _, data in asked)


# several hosts ------------------------------------------------------------------------------------------------------

ROWS = [
    # the config, the request, how hosts act, the answer, who is asked in which order
    # Sharded, but for deletes
    ("List-of-Route-Handles_4", "get k", {"a": FAILS}, FAILS, "a"),
    ("List-of-Route-Handles_4", "delete k", {}, "DELETED", "a b"),
    ("List-of-Route-Handles_4", "delete k", {"a": MISSES}, "NOT_FOUND", "a b"),
    ("List-of-Route-Handles_4", "delete k", {"b": MISSES}, "NOT_FOUND", "a b"),
    ("List-of-Route-Handles_4", "delete k", {"a": FAILS, "b": MISSES}, FAILS, "a b"),
    ("List-of-Route-Handles_4", "delete k", {"a": MISSES, "b": SILENT}, "timeout b", "a b"),
    ("List-of-Route-Handles_4", "delete k", {"a": DOWN}, "down a", "b"),
    # Broadcast: the default cluster's answer
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {}, "DELETED", "b a"),
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {"b": MISSES}, "DELETED", "b a"),
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {"b": SILENT}, "DELETED", "b a"),
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {"a": MISSES}, "NOT_FOUND", "b a"),
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {"a": SILENT}, "timeout a", "b a"),
    ("Multi-cluster-broadcast-setup_1", "delete /*/*/one_more_key", {"a": DOWN}, "down a", "b"),
    ("Config-Files_1", "get /regionB/clusterA/k", {}, "END", ""),
    ("Config-Files_1", "set /regionB/clusterA/k", {}, "NOT_STORED", ""),
    ("Config-Files_1", "get /regionC/clusterA/k", {}, "SERVER_ERROR RootRoute: No rh found", ""),
    *(
        (f"Routing-Prefix_{number}", *row)
        for number in (1, 2)
        for row in (
            ("set /datacenter/*/a", {}, "STORED", "local1 local0"),
            ("set /*/cluster*/a", {}, "STORED", "local1 local0"),
            ("set /datacenter/*/a", {"local1": FAILS}, "STORED", "local1 local0"),
            ("set /datacenter/*/a", {"local0": FAILS}, FAILS, "local1 local0"),
            ("set /datacenter/*/shr:a", {}, "STORED", "shared shared"),
        )
    ),
    # Failover: errors are gone on from, a miss is not
    ("mcrouter-configuration_1", "get k", {}, "127.0.0.1", "127.0.0.1"),
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": MISSES}, "END", "127.0.0.1"),
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": FAILS}, "[::1]", "127.0.0.1 [::1]"),
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": SILENT}, "[::1]", "127.0.0.1 [::1]"),
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": DOWN}, "[::1]", "[::1]"),
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": FAILS, "[::1]": MISSES}, "END", "127.0.0.1 [::1]"),
    # of two errors, the host's own counts more than ours (the page: the last one)
    ("mcrouter-configuration_1", "get k", {"127.0.0.1": FAILS, "[::1]": SILENT}, FAILS, "127.0.0.1 [::1]"),
    ("mcrouter-configuration_1", "set k", {"127.0.0.1": FAILS}, FAILS, "127.0.0.1 [::1]"),
    ("mcrouter-configuration_1", "set k", {"[::1]": DOWN}, "down [::1]", "127.0.0.1"),
    ("mcrouter-configuration_1", "delete k", {"[::1]": MISSES}, "NOT_FOUND", "127.0.0.1 [::1]"),
    # Replicated: writes to all, the worst answer counts
    *(
        ("Replicated-pools-setup_1", *row)
        for row in (
            ("set k", {}, "STORED", "127.0.0.1 [::1]"),
            ("add k", {"[::1]": MISSES}, "NOT_STORED", "127.0.0.1 [::1]"),
            ("set k", {"127.0.0.1": FAILS}, FAILS, "127.0.0.1 [::1]"),
            ("set k", {"[::1]": SILENT}, "timeout [::1]", "127.0.0.1 [::1]"),
            ("set k", {"127.0.0.1": DOWN}, "down 127.0.0.1", "[::1]"),
            ("delete k", {}, "DELETED", "127.0.0.1 [::1]"),
            ("delete k", {"127.0.0.1": MISSES}, "NOT_FOUND", "127.0.0.1 [::1]"),
            ("touch k 1", {}, "SERVER_ERROR OperationSelectorRoute: no policy for this command, and no default_policy", ""),
        )
    ),
    # Two pools, each with a limit of its own, that fail over to each other
    ("Config-Files_5", "set k", {}, "STORED", "a"),
    ("Config-Files_5", "set /a/a/k", {"a": FAILS}, "STORED", "a b"),
    ("Config-Files_5", "set /b/b/k", {}, "STORED", "b"),
    ("Config-Files_5", "set /b/b/k", {"b": SILENT}, "STORED", "b a"),
    ("Config-Files_5", "get k", {"a": MISSES}, "END", "a"),
    ("Config-Files_5", "get k", {"a": DOWN}, "b", "b"),
    # Cold and warm
    ("Cold-cache-warm-up-setup_1", "get k", {}, "cold", "cold"),
    ("Cold-cache-warm-up-setup_1", "get k", {"cold": MISSES}, "warm", "cold warm cold"),
    ("Cold-cache-warm-up-setup_1", "get k", {"cold": MISSES, "warm": MISSES}, "END", "cold warm"),
    ("Cold-cache-warm-up-setup_1", "set k", {}, "STORED", "cold"),
    ("Cold-cache-warm-up-setup_1", "set k", {"cold": FAILS}, FAILS, "cold"),
    ("Cold-cache-warm-up-setup_1", "delete k", {"cold": MISSES}, "NOT_FOUND", "cold"),
    # Two levels, replicated
    ("Two-level-caching_2", "get k", {}, "localhost", "localhost"),
    ("Two-level-caching_2", "get k", {"localhost": MISSES}, "shared", "localhost shared"),
    ("Two-level-caching_2", "get k", {"localhost": FAILS}, "shared", "localhost shared"),
    ("Two-level-caching_2", "get k", {"localhost": SILENT}, "shared", "localhost shared"),
    ("Two-level-caching_2", "get k", {"localhost": DOWN}, "shared", "shared"),
    ("Two-level-caching_2", "get k", {"localhost": MISSES, "shared": MISSES}, "END", "localhost shared"),
    ("Two-level-caching_2", "set k", {}, "STORED", "shared localhost other"),
    ("Two-level-caching_2", "set k", {"other": FAILS}, FAILS, "shared localhost other"),
    ("Two-level-caching_2", "set k", {"localhost": DOWN}, "down localhost", "shared other"),
    ("Two-level-caching_2", "delete k", {"shared": MISSES}, "NOT_FOUND", "shared localhost other"),
    ("Two-level-caching_2", "delete k", {"shared": SILENT, "other": MISSES}, "timeout shared", "shared localhost other"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "acts", "expected", "hosts"), ROWS)
def test_several_hosts(name, line, acts, expected, hosts):
    answer, asked = Case(name, acts).ask(line)
    assert answer == expected
    assert [host for host, _ in asked] == hosts.split()


def test_broadcast_shows_no_prefix():
    _, asked = Case("Multi-cluster-broadcast-setup_1", {}).ask("delete /*/*/one_more_key")
    assert asked == [("b", "delete one_more_key"), ("a", "delete one_more_key")]


EXPTIMES = [
    ("Cold-cache-warm-up-setup_1", "get k", {"cold": MISSES}, [("cold", "get k"), ("warm", "get k"), ("cold", "add k 0 3600 4")]),
    ("List-of-Route-Handles_5", "set k 0 500 1", {}, [("a", "set k 0 500 1")]),
    ("List-of-Route-Handles_5", "set k 0 0 1", {"a": SILENT}, [("a", "set k 0 0 1"), ("b", "set k 0 60 1")]),
    ("List-of-Route-Handles_5", "set k 0 500 1", {"a": DOWN}, [("b", "set k 0 60 1")]),
    ("List-of-Route-Handles_5", "set k 0 50 1", {"a": FAILS}, [("a", "set k 0 50 1"), ("b", "set k 0 50 1")]),
    ("List-of-Route-Handles_5", "get k", {"a": FAILS}, [("a", "get k"), ("b", "get k")]),
    ("Two-level-caching_1", "get k", {}, [("localhost", "get k")]),
    ("Two-level-caching_1", "get k", {"localhost": MISSES}, [("localhost", "get k"), ("s", "get k"), ("localhost", "add k 0 10 2")]),
    ("Two-level-caching_1", "set k 0 500 1", {}, [("s", "set k 0 500 1"), ("localhost", "set k 0 10 1")]),
    ("Two-level-caching_1", "delete k", {}, [("s", "delete k"), ("localhost", "delete k")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "acts", "expected"), EXPTIMES)
def test_expiration_times(name, line, acts, expected):
    """What a host is told; of the hosts of a pool with several, whichever it is."""
    _, asked = Case(name, acts).ask(line)
    assert [(host.rstrip("12"), data.split("\r\n")[0]) for host, data in asked] == expected


LATEST = [
    # how the first and the second host act, the answer, how many are asked
    ("Replicated-pools-setup_1", (HIT, HIT), 0, 1),
    ("Replicated-pools-setup_1", (MISSES, HIT), "END", 1),
    ("Replicated-pools-setup_1", (FAILS, HIT), 1, 2),
    ("Replicated-pools-setup_1", (SILENT, HIT), 1, 2),
    ("Replicated-pools-setup_1", (DOWN, HIT), 1, 1),
    ("Replicated-pools-setup_1", (FAILS, MISSES), "END", 2),
    ("Replicated-pools-setup_1", (SILENT, FAILS), FAILS, 2),
]


@pytest.mark.parametrize(("name", "acts", "expected", "asked"), LATEST)
def test_replicated_gets(name, acts, expected, asked):
    """To one host, by this machine's number; to the other one if it fails."""
    failing = dict.fromkeys(("127.0.0.1", "[::1]"), FAILS)
    order = [host for host, _ in Case(name, failing).ask("get k")[1]]
    answer, got = Case(name, dict(zip(order, acts))).ask("get k")
    assert answer == (order[expected] if isinstance(expected, int) else expected)
    assert [host for host, _ in got] == [host for host, act in zip(order, acts) if act != DOWN][:asked]


SHADOWS = [("Shadowing-setup_1", "t1", ("p1", "p2")), ("mcrouter-configuration_2", "d1", ("p1",))]


@pytest.mark.parametrize(("name", "target", "copied"), SHADOWS)
@pytest.mark.parametrize("act", [HIT, MISSES, FAILS, SILENT, DOWN])
def test_shadows(name, target, copied, act):
    """The answer is production's; the target sees a tenth of what goes to the hosts of the range, whose end is not in it."""
    case = Case(name, {target: act})
    seen = {host: [0, 0] for host in ("p1", "p2", "p3")}
    for number in range(1000):
        answer, asked = case.ask(f"get k{number}")
        (host,) = {one for one, _ in asked if one != target}
        assert answer == host
        seen[host][0] += 1
        seen[host][1] += len(asked) - 1
    for host, (all_of_it, copies) in seen.items():
        assert all_of_it > 200
        if host in copied and act != DOWN:
            assert 0.04 * all_of_it < copies < 0.2 * all_of_it
        else:
            assert copies == 0


def test_every_config_is_tested():
    rows = [*ONE_HOST, *ROWS, *EXPTIMES, *SHADOWS]
    assert {row[0] for row in rows} == set(CONFIGS)
