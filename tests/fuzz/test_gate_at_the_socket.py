"""The fuzzer of the client side, through routers whose routes rewrite requests, before hosts that check each byte they get.

A checking host cuts what comes on a connection into requests with a parser of its own. Each must be taken over as it came,
must pass the gate, and, where it has a data block, must not be answered ERROR or CLIENT_ERROR: such a host may take the
data for commands. The router's own `version`, `mn`, `delete` and `md` come by the same sockets.
"""

import base64
import contextlib
import json
import socket
import time

import pytest

from mcrouter import Router, Settings, load_config
from mcrouter.proto.client.lines import BAD_CHUNK, read_line
from mcrouter.proto.commands import COMMANDS
from mcrouter.proto.host.gate import refusal
from mcrouter.proto.replies import ProtocolError
from mcrouter.proto.request import ANSWERED, STORING
from mcrouter.testing.protocol import Conversation
from tests.proto.feeding import ClientFeed, HostFeed
from tests.support.processes import Memcached
from tests.support.talking import TalkingHost, refusing_address
from tests.support.wire import Wire

from .corpus import REQUESTS
from .mutate import pieces, spoil
from .test_fuzz import draws

BUFFER = 4096  # bytes; larger values travel in pieces


class Checked:
    """What has come on one connection. `answer(data)` is a memcached's, to one request."""

    def __init__(self, answer, sock=None):
        self.feed = ClientFeed()
        self.answer, self.sock = answer, sock
        self.closed = False
        self.is_over = False  # nothing more may come


class CheckingHost(TalkingHost):
    """Collects in `problems` what should not have been sent; hangs up once on a request that has `hangs_up_on` in it."""

    def __init__(self):
        super().__init__()
        self.problems = []
        self.hangs_up_on = b""
        self.taken = 0  # requests
        self.stolen = False  # whether one names a key that is named in data alone

    def begin(self):
        """What is remembered of a new connection."""
        conversation = Conversation(self.store)
        return Checked(lambda request: conversation.receive(bytes(request.data)))

    def hear(self, data, conversation):
        """Checks, then answers as memcached does."""
        feed, out = conversation.feed, b""
        expected, done = feed.rest() + data, len(feed.requests)
        feed.received(data)
        requests = feed.requests[done:]
        if conversation.is_over:
            self.problems.append(("comes behind a bad chunk", data))
        if is_bad_chunk(requests, expected):
            conversation.is_over = True
            return BAD_CHUNK
        if b"".join(bytes(request.data) for request in requests) + feed.rest() != expected:
            self.problems.append(("not taken over as it came", expected[:4096]))
        for request in requests:
            self.taken += 1
            self.stolen = self.stolen or (request.commands[0] < len(COMMANDS) and any(b"stolen" in key for key in request.names()))
            if self.hangs_up_on and self.hangs_up_on in bytes(request.data):
                self.hangs_up_on, conversation.closed = b"", True
                return out
            out += self._checked(request, conversation)
        return out

    def _checked(self, request, conversation):
        data = bytes(request.data)
        if request.commands[0] >= len(COMMANDS) or request.rendering is not None or refusal(request):
            self.problems.append(("does not pass", data))
            conversation.closed = True
            return b""
        answer = conversation.answer(request)
        if request.commands[0] in STORING and (answer.startswith((b"ERROR", b"CLIENT_ERROR")) or answer.count(b"\n") != 1):
            self.problems.append(("a store refused", data, answer))
        return answer


def is_bad_chunk(requests, data):
    """Whether this is a large value that does not end as it should. It is passed on as it comes, so that this is known too
    late; it has a connection for itself, which must be closed then: the host has swallowed as much as was announced."""
    if [request.commands for request in requests] != [ANSWERED] or requests[0].data != BAD_CHUNK:
        return False
    line = read_line(data.partition(b"\r\n")[0])
    return line.size > BUFFER and len(data) == len(line.wire) + line.size + 2 and data.startswith(line.wire)


class MemcachedBehind(CheckingHost):
    """The same, where a real memcached answers."""

    def __init__(self, port):
        super().__init__()
        self.behind = port

    def begin(self):
        """A connection to it."""
        sock = socket.create_connection(("127.0.0.1", self.behind), 10)

        def answer(request):
            sock.sendall(bytes(request.data))
            feed, got = HostFeed([request]), b""
            try:
                while not feed.replies:
                    data = sock.recv(1 << 16)
                    got += data
                    assert data, ("memcached has closed", bytes(request.data))
                    feed.received(data)
            except (ProtocolError, AssertionError) as error:
                self.problems.append((repr(error), bytes(request.data)))
            return got

        return Checked(answer, sock)

    def end(self, conversation):
        """Ends that too."""
        conversation.sock.close()


# what is asked ----------------------------------------------------------------------------------------------------

HOSTILE = (b"flush_all", b"set stolen 0 0 1\r\nx", b"ms stolen 1\r\nx", b"x\r\nget stolen", b"shutdown", b"\r\n\r\n", b"mn\r\nmn", b"", b"v" * 5000)
FLAGS = (
    b"b", b"c", b"f", b"h", b"k", b"q", b"s", b"t", b"v", b"I", b"N0", b"N60", b"T0", b"T60", b"T-1", b"Tabc", b"T", b"T99999999999",
    b"F1", b"F4294967296", b"F-1", b"C1", b"Cx", b"E5", b"Ex", b"MS", b"MA", b"Mset", b"MZ", b"M", b"O1", b"O" + b"o" * 40, b"D1", b"J0",
    b"R30", b"L", b"P", b"x", b"!", b"-", b"k k", b"T1 T2", b"\x80", b"S1", b"z",
)  # fmt: skip
STORES = (b"set", b"add", b"replace", b"append", b"prepend", b"cas")
ODD = (b"0", b"0", b"1", b"-1", b"x", b"4294967295", b"4294967296", b"+1", b"0x1", b"", b"99999999999")


def key(random):
    """A key: short, with an event loop, or as long as may be, or nearly."""
    return random.choice((b"a", b"b", b"a:7:b", b"n", b"warm", b"k" * random.randrange(180, 252)))


def meta_key(random):
    """One for meta commands, and the flag that says so if it is in base64."""
    if random.random() < 0.5:
        return key(random), b""
    plain = bytes(random.randrange(256) for _ in range(random.choice((1, 3, 9, 135, 150, 180, 184, 186, 187, 188))))
    return base64.b64encode(random.choice((plain, plain, key(random), b"a\r\nflush_all\r\n"))), b" b"


def odd(random, wrong=(0, 0, 0, 0, 0, 0, 0, -1, 1, 7)):
    """A request that is nearly right, with data that looks like commands; its length is `wrong` by so much."""
    data = random.choice(HOSTILE)
    size = len(data) + random.choice(wrong)
    flags = b"".join(b" " + flag for flag in random.sample(FLAGS, random.choice((0, 1, 1, 2, 3, 20))))
    verb = random.choice((b"ms", b"ms", b"mg", b"md", b"ma", b"me", *STORES))
    if verb == b"ms":
        name, in_base64 = meta_key(random)
        return b"ms %b %d%b%b\r\n%b\r\n" % (name, size, in_base64, flags, data)
    if verb[:1] == b"m":
        return b"%b %b%b%b\r\n" % (verb, *meta_key(random), flags)
    numbers = ODD if len(wrong) > 1 else [number for number in ODD if number]  # without one, the length is another word
    unique = b" %b" % random.choice(numbers) if verb == b"cas" else b""
    words = (verb, key(random), random.choice(numbers), random.choice(numbers), size, unique, random.choice((b"", b"", b" noreply", b" x")))
    return b"%b %b %b %b %d%b%b\r\n%b\r\n" % (*words, data)


def stream(random):
    """What a client might send."""
    asked = []
    for _ in range(random.choice((1, 2, 5, 9))):
        one = odd(random) if random.random() < 0.6 else random.choice(REQUESTS)
        asked.append(spoil(random, one, REQUESTS) if random.random() < 0.3 else one)
    return b"".join(asked)


# through what -----------------------------------------------------------------------------------------------------

A, B, ALL, DEAD = "PoolRoute|A", "PoolRoute|B", "PoolRoute|all", "PoolRoute|dead"


def _to(handle, target, **more):
    return {"type": handle, "target": target, **more}


ROUTES = {
    "ModifyKeyRoute": _to("ModifyKeyRoute", ALL, ensure_key_prefix="p" * 60, set_key_suffix="s" * 9),
    "KeySplitRoute": {"type": "KeySplitRoute", "destination": A, "replicas": 3, "all_sync": True, "first_hit": True},
    "ShardSplitRoute": _to("ShardSplitRoute", A, shard_splits={"7": 3}),
    "FailoverWithExptimeRoute": {"type": "FailoverWithExptimeRoute", "normal": DEAD, "failover": [A], "failover_exptime": 30},
    "FailoverWithExptimeRoute, no host": {"type": "FailoverWithExptimeRoute", "normal": "ErrorRoute|no", "failover": [A, B]},
    "ModifyExptimeRoute": _to("ModifyExptimeRoute", B, exptime=60, action="min"),
    "WarmUpRoute": {"type": "WarmUpRoute", "cold": A, "warm": B, "enable_metaget": True},
    "L1L2CacheRoute": {"type": "L1L2CacheRoute", "l1": A, "l2": B, "upgradingL1Exptime": 60, "ncacheExptime": 60, "ncacheUpdatePeriod": 2},
    "StagingRoute": {"type": "StagingRoute", "warm": A, "staging": B},
    "PoolRoute": ALL,
    "AllSyncRoute": {"type": "AllSyncRoute", "children": [A, B]},
    "DefaultRoute": "DefaultRoute",
}  # fmt: skip


def config(name, hosts, **more):
    """A policy before the hosts."""
    addresses = [host.address for host in hosts]
    if name == "DefaultRoute":
        return load_config(json.dumps({"orderedPool": addresses, "route": name, **more}))
    pools = {"A": addresses[:1], "B": addresses[1:], "all": addresses, "dead": [refusing_address()]}
    return load_config(json.dumps({"pools": {pool: {"servers": servers} for pool, servers in pools.items()}, "route": ROUTES[name]}))


def serve(stack, name, hosts, **settings):
    """A router's port. What is large travels in pieces."""
    quiet = {"listen": "tcp://127.0.0.1:0", "metrics_listen_addr": "off", "healthcheck_interval": 1000.0, "buffer_size": BUFFER}
    more = {"onRejoin": settings.pop("on_rejoin")} if "on_rejoin" in settings else {}
    router = stack.enter_context(Router(config(name, hosts, **more), Settings(**{**quiet, **settings})))
    return int(router.addresses[0].rpartition(":")[2])


@contextlib.contextmanager
def checking_hosts(behind):
    """Two of them, before the model or before real ones."""
    with contextlib.ExitStack() as stack:
        if behind == "model":
            yield [stack.enter_context(CheckingHost()) for _ in range(2)]
            return
        real = [Memcached().start() for _ in range(2)]
        for memcached in real:
            stack.callback(memcached.stop)
        yield [stack.enter_context(MemcachedBehind(memcached.port)) for memcached in real]


@pytest.mark.parametrize("behind", ["model", "memcached"])
def test_what_comes_at_the_hosts(behind):
    with checking_hosts(behind) as hosts, contextlib.ExitStack() as stack:
        ports = [(name, serve(stack, name, hosts, enable_flush_cmd=True)) for name in ROUTES]
        last = []
        for random in draws("gate"):
            (name, port), data = random.choice(ports), stream(random)
            last = [*last[-4:], (name, data)]
            with Wire(port) as wire:
                with contextlib.suppress(OSError):  # it may be closed already
                    wire.send(*pieces(random, data)).finish()
                wire.read_to_close()
            assert not [host.problems for host in hosts if host.problems], last
        assert all(host.taken for host in hosts)


def test_no_data_comes_as_commands():
    """However wrong the line of a store, what follows as its data is not taken for commands."""
    with checking_hosts("model") as hosts, contextlib.ExitStack() as stack:
        port = serve(stack, "DefaultRoute", hosts)
        for random in draws("refused"):
            data = b"".join(odd(random, wrong=(0,)) for _ in range(random.choice((1, 2, 5))))
            with Wire(port) as wire:
                with contextlib.suppress(OSError):
                    wire.send(*pieces(random, data)).finish()
                wire.read_to_close()
            assert not any(host.stolen or host.problems for host in hosts), [data, *(host.problems for host in hosts)]


REWRITTEN = [b"set %b 0 0 1\r\nx\r\n", b"ms %b 1 b\r\nx\r\n", b"delete %b\r\n", b"md %b b\r\n"]


@pytest.mark.parametrize("asked", REWRITTEN)
def test_what_a_rejoin_sends(asked):
    """A host that has hung up on a write is told to delete its key, in words that pass."""
    with checking_hosts("model") as hosts, contextlib.ExitStack() as stack:
        port = serve(stack, "DefaultRoute", hosts, on_rejoin="replay", healthcheck_interval=0.02)
        with Wire(port) as wire:
            for number, length in enumerate((1, 3, 180, 186)):
                name = base64.b64encode(bytes(range(32, 32 + length % 90)) + b"k" * (length - length % 90))
                before, hosts[0].hangs_up_on = hosts[0].taken, name
                assert wire.send(asked % name).read_until(b"\n"), number
                limit = time.monotonic() + 10
                while hosts[0].taken < before + 3:  # the write, a probe, the delete
                    assert time.monotonic() < limit
                    time.sleep(0.002)
        assert not [host.problems for host in hosts if host.problems]
