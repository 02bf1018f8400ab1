"""The three fuzzers."""

import contextlib
import os
import re
import time
from random import Random

from mcrouter import ConfigError, load_config
from mcrouter.config import Config
from mcrouter.proto.commands import COMMANDS, META_STORE, STORE, STORE_CAS, VALUES
from mcrouter.proto.host.gate import refusal
from mcrouter.proto.replies import ProtocolError
from tests.engine.hosts import LineHost, client, router
from tests.proto.feeding import PLANS, ClientFeed, HostFeed, as_commands
from tests.proto.feeding import request as the_request
from tests.support.processes import Memcached
from tests.support.wire import Wire

from .corpus import CONFIGS, REPLIES, REQUESTS
from .mutate import pieces, spoil

SECONDS, SEED = float(os.environ.get("FUZZ_SECONDS", "1")), os.environ.get("FUZZ_SEED", "1")
_BLOCK = re.compile(rb"VALUE ([^ \n]+) \d+ (\d+)(?: \d+)?\r\n")
_LINE = re.compile(rb"[^\n]*\r\n")


def draws(name):
    """A generator of random numbers for each case, as long as there is time."""
    end, case = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        case += 1
        yield Random(f"{SEED}-{name}-{case}")
    assert case > 10
    print(f"{name}: {case} cases")


def stream(random):
    """What a client might send."""
    return b"".join(spoil(random, random.choice(REQUESTS), REQUESTS) if random.random() < 0.5 else random.choice(REQUESTS)
                    for _ in range(random.choice((1, 1, 2, 5))))  # fmt: skip


def test_client_side():
    """Whatever a client sends, and however it is cut into reads, the same commands come of it, and the parser gets on.

    Where memcached itself goes by the reads (a line of more than 2048 bytes that is no get), so may we.
    """
    for random in draws("client"):
        data, plan = stream(random), random.choice(PLANS)
        if max(map(len, data.split(b"\n"))) > 2000:
            continue
        whole, cut = ClientFeed(plan), ClientFeed(plan)
        whole.received(data)
        for piece in pieces(random, data):
            cut.received(piece)
        assert as_commands(cut.requests) == as_commands(whole.requests), data
        assert not any(map(refusal, (made for made in cut.requests if made.commands[0] < len(COMMANDS)))), data
        assert whole.calls <= len(whole.requests) + 1, data


STORES = frozenset(command.number for command in COMMANDS if command.request in (STORE, STORE_CAS, META_STORE))


def test_stores_at_a_host():
    """Whatever a client sends, no host has a complaint about a store that comes of it: it might take data for commands."""
    memcached = Memcached().start()
    with Wire(memcached.port) as wire:
        for random in draws("stores"):
            feed = ClientFeed()
            feed.received(stream(random))
            for made in feed.requests:
                if made.commands[0] not in STORES or len(made.data) > 1 << 16:
                    continue
                reply = wire.ask(bytes(made.data))
                assert reply.count(b"\n") == 1 and not reply.startswith((b"ERROR", b"CLIENT_ERROR")), (made.data, reply)
                assert is_taken(bytes(made.data)), made.data
    memcached.stop()


_NUMBER = re.compile(rb"-?\d{1,11}").fullmatch
_WIDE = re.compile(rb"\d{1,20}").fullmatch


def is_taken(data):
    """Whether memcached 1.6.45, by its source, takes this store: it reads numbers of plain digits, and of a flag that is no
    letter or digit it swallows no data."""
    line, _, block = data.partition(b"\r\n")
    verb, key, *words = line.split(b" ")
    size = words.pop(0) if verb == b"ms" else words[2]
    if not size.isdigit() or len(block) != int(size) + 2 or not 0 < len(key) <= 250 or len(words) > 18:
        return False
    if verb != b"ms":
        return _fits(words[0], 0, 2**32) and _fits(words[1], -(2**31), 2**31) and all(map(_WIDE, words[3:]))
    letters = [word[:1] for word in words]
    return len(set(letters)) == len(letters) and all(map(_is_flag, words))


def _fits(word, low, high):
    return _NUMBER(word) is not None and low <= int(word) < high


def _is_flag(word):
    letter, argument = word[:1], word[1:]
    if letter in b"TNR":
        return _fits(argument, -(2**31), 2**31)
    if letter == b"F":
        return _fits(argument, 0, 2**32)
    if letter in b"CDJ":
        return _WIDE(argument) is not None and int(argument) < 2**64
    if letter == b"M":
        return argument in (b"E", b"A", b"P", b"R", b"S")
    return len(word) <= 32 if letter == b"O" else letter in b"LPbcfhIklqstuv"


def test_clients_of_a_router():
    """Whatever a client sends, it is answered or closed, and no other client notices."""
    host = LineHost(lambda line: b"VALUE i 0 1\r\ni\r\nEND\r\n" if line == b"get i\r\n" else b"END\r\n")
    with host, router(host, route="LocalRoute") as served, client(served) as innocent:
        for random in draws("router"):
            data = stream(random)
            with Wire(innocent.sock.getpeername()[1]) as wire:
                with contextlib.suppress(OSError):  # it may be closed already
                    wire.send(*pieces(random, data)).finish()
                wire.read_to_close()
            assert innocent.send(b"mn\r\n").read_until(b"\n") == b"MN\r\n", data


def is_right(asked, reply):
    """Whether these bytes are a whole reply to this request, naming nothing that it has not asked for."""
    if len(asked.commands) == 1 and COMMANDS[asked.commands[0]].reply == VALUES:
        keys, at = iter(asked.keys()), 0
        block = _BLOCK.match(reply)
        while block:
            at = block.end() + int(block[2])
            if block[1] not in keys or reply[at : at + 2] != b"\r\n":
                return False
            at += 2
            block = _BLOCK.match(reply, at)
        return reply[at:] == b"END\r\n" or (_LINE.fullmatch(reply, at) and b"ERROR" in reply[at : at + 12])
    return reply.endswith(b"\r\n")


def fed(asked, reads):
    """(the replies, whether the stream was given up) of a host's stream."""
    feed = HostFeed([the_request(data) for data in asked])
    try:
        for data in reads:
            feed.received(data)
    except ProtocolError:
        return feed.replies, True
    return feed.replies, False


def test_upstream_side():
    """Whatever a host says, and however it is cut into reads: each request gets a whole reply that can be its own, in
    order, or the stream is given up, or more is waited for; the same way each time."""
    for random in draws("upstream"):
        pairs = [random.choice(REPLIES) for _ in range(random.choice((1, 2, 4)))]
        asked = [data for data, _ in pairs]
        said = b"".join(reply for _, reply in pairs)
        data = spoil(random, said, [reply for _, reply in REPLIES])
        whole, cut = fed(asked, [data]), fed(asked, pieces(random, data))
        assert cut == whole, (asked, data)
        for question, reply in zip(asked, whole[0]):
            assert is_right(the_request(question), reply.data), (question, data, reply)


def test_config():
    """Whatever a config's text is, it is a Config, or a ConfigError that points into it; the same one each time."""
    for random in draws("config"):
        text = spoil(random, random.choice(CONFIGS), CONFIGS)
        results = [load(text) for _ in range(2)]
        assert results[0] == results[1], text
        if not isinstance(results[0], Config):
            message, line, _ = results[0]
            assert message.startswith("f:") and "; " in message, text
            assert line <= text.count(b"\n") + text.count(b"\r") + 1, text


def load(text):
    """A Config, or what is said of it."""
    try:
        found = load_config(text, "f")
    except ConfigError as error:
        return str(error), error.line, error.column
    assert isinstance(found, Config)
    return found

