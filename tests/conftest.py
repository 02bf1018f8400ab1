"""Fixtures: real memcacheds and routers that end with the test."""

import signal
from typing import Any, Callable, Iterator, List

import pytest
from hypothesis import settings

from tests.support.processes import Memcached, RouterProcess

pytest_plugins = ["tests.support.parallel"]

# The same draws every time, so that a change is judged by what it changed; a long form may load another profile.
settings.register_profile("same draws", derandomize=True, deadline=None, database=None)
settings.load_profile("same draws")

# A shell has what it runs in the background ignore SIGINT, and whatever that starts; programs that are interrupted must not.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def memcacheds() -> Iterator[Callable[..., List[Memcached]]]:
    """Starts that many real memcacheds."""
    started: List[Memcached] = []

    def start(count: int, *args: str) -> List[Memcached]:
        hosts = [Memcached(*args).start() for _ in range(count)]
        started.extend(hosts)
        return hosts

    yield start
    for host in started:
        host.stop()


@pytest.fixture
def router() -> Iterator[Callable[..., RouterProcess]]:
    """Starts routers from a config's text and flags."""
    started: List[Any] = []

    def start(text: str, *flags: str) -> RouterProcess:
        started.append(RouterProcess(text, *flags))
        return started[-1]

    yield start
    for process in started:
        process.stop()
