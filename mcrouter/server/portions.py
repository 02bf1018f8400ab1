"""Work that is done in portions between the ticks of an event loop, so that clients are served meanwhile."""

from typing import Any, Callable, ContextManager, Generator, Iterable, Optional

from ..engine.loop import PollGroup

_AT_A_TIME = 0.002  # seconds of work between two ticks

Work = Generator[Any, None, Any]
"""Work that yields after each portion, and returns its result."""


def at_once(work: Work) -> Any:
    """Does all the work at once; returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def in_portions(
    loop: PollGroup, work: Work, done: Callable[[Any, Optional[Exception]], None], meanwhile: ContextManager[None]
) -> None:
    """Does the work within `meanwhile`, in portions between the ticks of the loop; then calls `done(result, error)`."""
    meanwhile.__enter__()

    def end(result: Any, error: Optional[Exception]) -> None:
        meanwhile.__exit__(None, None, None)
        done(result, error)

    def run_portion() -> None:
        until = loop.clock() + _AT_A_TIME
        try:
            while loop.clock() < until:
                next(work)
        except StopIteration as finished:
            end(finished.value, None)
        except Exception as error:
            end(None, error)
        else:
            loop.call_soon(run_portion)

    run_portion()


def each(items: Iterable[Any], do: Callable[[Any], None]) -> Work:
    """Calls `do` for each item, as one portion each."""
    for item in items:
        do(item)
        yield
