"""Drawn sequences of requests of several clients, and faults among them, against a model of what may be answered.

A read may see a value that could have been stored: after a write of which the client does not know what became, the old
and the new one. Before one host the model is strict: a client's reads see its own writes, a miss needs a reason. Before
two hosts, which need not agree, it is any value that the key ever had; but where writes go to both and what one has
missed is made up for, the strict answer is given in the end: with several connections to a host, on which writes may
overtake each other, if both hosts have done all of a round before the next.

Of two hosts only one is in trouble within a sequence, and the router's clock (clock.py) sees to it that the other is not
late because the machine is busy. So the other has done all writes and nothing is deleted there to make up for any, and a
miss is no more allowed than before one host. With both in trouble there are misses: test_rejoin.py has those.

CASES in the environment sets how many sequences are drawn (60 here, more in the nightly form); SEED, which.
"""

import itertools
import os
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.faults.bench import Bench, is_error
from tests.support.processes import until

DRAWN = int(os.environ.get("CASES", "60"))
SEED = os.environ.get("SEED", "")
CLIENTS, KEYS = 3, 3
KINDS = ("stall", "drip", "cut", "reset", "garbage", "late", "refuse", "mute")  # not `twice`: nobody can tell two STORED
NUMBER = itertools.count()
READS, STORES, DELETES = ("get", "gets", "mg"), ("set", "ms"), ("delete", "md")


class Step(NamedTuple):
    """One request of a client: its verb, the keys it names and, if it stores, the end of the value."""

    verb: str
    keys: tuple
    tail: bytes


class Round(NamedTuple):
    """What the clients ask without waiting for each other, and the fault meanwhile; the last may vanish unanswered."""

    batches: tuple
    fault: tuple  # (key, and what a Fault takes)
    vanishes: bool


KEY = st.integers(0, KEYS - 1)
TAILS = st.sampled_from([b"", b"", b"\r\nEND\r\n", b"VALUE a 0 1\r\n", b"x" * 30])
STEPS = st.one_of(
    st.builds(Step, st.sampled_from(READS + STORES + DELETES), st.tuples(KEY), TAILS),
    st.builds(Step, st.just("get"), st.lists(KEY, min_size=2, max_size=4, unique=True).map(tuple), st.just(b"")),
)
FAULTS = st.tuples(KEY, st.sampled_from(KINDS), st.integers(0, 60), st.integers(0, 2), st.integers(1, 2), st.booleans(),
                   st.sampled_from([0, 0, 0, 1, 2]))  # fmt: skip
BATCHES = st.tuples(*[st.lists(STEPS, max_size=4).map(tuple) for _ in range(CLIENTS)])
ROUNDS = st.lists(st.builds(Round, BATCHES, FAULTS, st.sampled_from([False, False, False, True])), min_size=1, max_size=5)


class Asked(NamedTuple):
    """A request under way: whose, its place among all of its client, its keys, and what it writes (None: deletes)."""

    client: int
    step: Step
    keys: tuple
    value: bytes

    def line(self):
        verb = self.step.verb.encode()
        if self.step.verb in STORES:
            head = b"%b %b 0 0 %d" if self.step.verb == "set" else b"%b %b %d"
            return head % (verb, self.keys[0], len(self.value)) + b"\r\n" + self.value + b"\r\n"
        return verb + b" " + b" ".join(self.keys) + (b" v k\r\n" if self.step.verb == "mg" else b"\r\n")

    def writes(self, key):
        return self.step.verb not in READS and key in self.keys


class Model:
    """What each key may be. `certain` says whether a host has the last word, so that what is overwritten is gone."""

    def __init__(self, values, certain):
        self.certain = certain
        self.possible = {key: {value} for key, value in values.items()}  # None: it may have been deleted
        self.unknown = {key: set() for key in values}  # writes that may have been done, or be done yet

    def seen(self, key, asked, answers, at):
        """What the request at place `at` of a round may find."""
        found = self.possible[key] | self.unknown[key]
        for place, (other, answer) in enumerate(zip(asked, answers)):
            if not other.writes(key) or (other.client == asked[at].client and place >= at):
                continue
            if self.certain and other.client == asked[at].client and not is_error(answer):
                found = {value for value in found if value not in self.possible[key]} | self.unknown[key]
                found |= {o.value for o, a in zip(asked[:place], answers) if o.writes(key) and is_error(a)}
                found |= {o.value for o in asked if o.writes(key) and o.client != other.client}
            found = found | {other.value}
        return found

    def check(self, asked, answers):
        """A round's answers."""
        for at, (request, answer) in enumerate(zip(asked, answers)):
            if answer is None or is_error(answer):
                continue
            where = f"{request.line()} of client {request.client} got {answer}"
            found = dict.fromkeys(request.keys, None)
            if request.step.verb in READS:
                found.update(values_in(answer))
                assert list(found) == list(request.keys), where
                assert answer == whole(request, found), where
            elif request.step.verb in STORES:
                assert answer == (b"STORED\r\n" if request.step.verb == "set" else b"HD\r\n"), where
                continue
            may = {key: self.seen(key, asked, answers, at) for key in request.keys}
            if request.step.verb in READS:
                for key, value in found.items():
                    assert value in may[key], f"{where}, and may get {may[key]}"
            else:
                done = answer in (b"DELETED\r\n", b"HD\r\n")
                assert done or answer in (b"NOT_FOUND\r\n", b"NF\r\n"), where
                assert may[request.keys[0]] - {None} if done else None in may[request.keys[0]], where

    def learn(self, asked, answers):
        """What a round has made of the keys."""
        for key, possible in self.possible.items():
            writes = [(o.client, o.value, a is None or is_error(a)) for o, a in zip(asked, answers) if o.writes(key)]
            self.unknown[key] |= {value for _, value, lost in writes if lost}
            done = [(client, value) for client, value, lost in writes if not lost]
            if self.certain and done:
                alone = len({client for client, _ in done}) == 1
                self.possible[key] = {done[-1][1]} if alone else {value for _, value in done}
            else:
                self.possible[key] = possible | {value for _, value in done}


def values_in(answer):
    """Key to value of what a get or an mg found."""
    at = 0
    while answer[at : at + 2] == b"VA":
        line = answer[at : answer.index(b"\r\n", at)]
        words = line.split()
        key, size = (words[2][1:], words[1]) if words[0] == b"VA" else (words[1], words[3])
        first = at + len(line) + 2
        yield key, answer[first : first + int(size)]
        at = first + int(size) + 2


def whole(request, found):
    """The answer in which just this is found."""
    (key, *_), verb = request.keys, request.step.verb
    if verb == "mg":
        value = found[key]
        return b"EN\r\n" if value is None else b"VA %d k%b\r\n%b\r\n" % (len(value), key, value)
    cas = b" 7" if verb == "gets" else b""
    there = [(key, value) for key, value in found.items() if value is not None]
    return b"".join(b"VALUE %b 0 %d%b\r\n%b\r\n" % (k, len(v), cas, v) for k, v in there) + b"END\r\n"


class Sequence:
    """One drawn sequence on its way, with clients and keys of its own."""

    def __init__(self, bench, strict, troubled):
        number = next(NUMBER)
        self.bench = bench
        self.troubled = bench.backends[troubled % len(bench.backends)]
        self.keys = [b"s%05dk%d" % (number, at) for at in range(KEYS)]
        values = {key: key + b"=0" for key in self.keys}
        for backend in bench.backends:
            backend.store.values.update(values)
        self.model, self.strictly = Model(values, strict), Model(values, True)
        self.clients = [bench.client() for _ in range(CLIENTS)]
        self.writes = itertools.count(1)

    def run(self, rounds):
        for drawn in rounds:
            self._round(drawn)
        for client in self.clients:
            until(lambda c=client: self._is_in_step(c), "an end in step")
        request = Asked(0, Step("get", (), b""), tuple(self.keys), None)
        answer = until(lambda: self._answer(request), "an answer in the end, of the first host")
        (self.strictly if self.bench.agrees else self.model).check([request], [answer])
        if len(self.bench.backends) > 1:
            self._all_is_done()
        if self.bench.agrees:
            self._the_hosts_agree()
        for client in self.clients:
            client.cut()

    def _the_hosts_agree(self):
        """Each host, once it is read, has nothing but what may be read. The one that was in trouble may lack it."""
        for key, possible in self.strictly.possible.items():
            may = possible | self.strictly.unknown[key]
            for backend in self.bench.backends:
                value = backend.store.values.get(key)
                lacks = value is None and backend is self.troubled
                assert lacks or value in may, f"{value} of {key} is not one of {may}"

    @staticmethod
    def _is_in_step(client):
        answer = client.send(b"mn\r\n").answer()
        assert answer == b"MN\r\n" or is_error(answer), answer
        return answer == b"MN\r\n"

    def _answer(self, request):
        seen, line = self.bench.backends[0].seen, request.line().rstrip()
        known = seen[line]
        answer = self.clients[0].send(request.line()).answer()
        return None if is_error(answer) or seen[line] == known else answer

    def _round(self, drawn):
        asked = [self._asked(client, step) for client, batch in enumerate(drawn.batches) for step in batch]
        key, kind, at, spare, times, done, behind = drawn.fault
        self.troubled.fault(self.keys[key], kind, at, behind, times, done, spare)
        for client, wire in enumerate(self.clients):
            wire.send(b"".join(request.line() for request in asked if request.client == client))
        answers = [None if self._gone(drawn, request) else self.clients[request.client].answer() for request in asked]
        if drawn.vanishes:
            self.clients[-1].reset()
            self.clients[-1] = self.bench.client()
        for backend in self.bench.backends:
            backend.release()
            backend.listen()
        if self.bench.agrees and self.bench.connections > 1:
            self._all_is_done()
        assert b"" not in answers, "the router has hung up"
        self.model.check(asked, answers)
        self.model.learn(asked, answers)
        self.strictly.learn(asked, answers)

    def _all_is_done(self):
        """Both hosts have done what they were sent, on every connection, or it is known that they may not."""
        for at, client in enumerate(self.clients):
            line = b"get %b-%d" % (self.keys[0], next(self.writes))
            until(lambda line=line, client=client: self._is_done(client, line), f"the hosts to do all of client {at}")

    def _is_done(self, client, line):
        """A miss asks one host after the other; each answers in turn."""
        before = [backend.seen[line] for backend in self.bench.backends]
        missed = client.send(line + b"\r\n").answer() == b"END\r\n"
        return missed and all(backend.seen[line] > n for backend, n in zip(self.bench.backends, before))

    @staticmethod
    def _gone(drawn, request):
        return drawn.vanishes and request.client == CLIENTS - 1

    def _asked(self, client, step):
        keys = tuple(self.keys[at] for at in step.keys)
        value = b"%b=%d %b" % (keys[0], next(self.writes), step.tail) if step.verb in STORES else None
        return Asked(client, step, keys, value)


def seeded(test):
    return seed(int(SEED))(test) if SEED else test


@pytest.fixture(scope="module", params=[("DefaultRoute", 1, 2), ("MissFailoverRoute", 2, 2), ("", 2, 1), ("", 2, 2)],
                ids=lambda param: f"{param[0] or 'sample'} {param[1]} hosts {param[2]} lanes")  # fmt: skip
def strict_bench(request):
    route, hosts, connections = request.param
    settings = {"timeout_ms": 40, "timeouts_until_tko": 3, "healthcheck_interval": 0.02}
    with Bench(hosts, connections, route, "ignore" if route else "replay", **settings) as bench:
        yield hosts == 1, bench


# The router's jitter comes out of its own thread, while hypothesis draws: that is no part of what is drawn.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@seeded
@settings(max_examples=DRAWN, deadline=None, database=None, derandomize=not SEED and DRAWN <= 2000,
          phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
@given(ROUNDS, st.sampled_from([0, 0, 1]))
def test_drawn_sequences(strict_bench, rounds, troubled):
    strict, bench = strict_bench
    Sequence(bench, strict, troubled).run(rounds)
