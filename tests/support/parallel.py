"""`--processes N`: the tests run in N processes at once, which share out the test files among themselves.

The process that has collected the tests forks the others and reports what they tell. So there is one list of tests, one
progress line and one summary, as without the flag.
"""

import os
import pickle
import selectors
import signal
import struct
import sys
import traceback
from itertools import groupby
from typing import Any, Dict, List, NoReturn, Optional, Tuple

import pytest

_Files = List[List[pytest.Item]]

_NUMBER = struct.Struct("!I")  # of a test file, or of the bytes that follow; a pipe passes it whole to one reader
_FIRST = ("simulation", "engine", "integration", "embedding")  # folders of the files that take longest: begun first


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the flag."""
    parser.addoption("--processes", type=int, default=1, metavar="N", help="run the tests in so many processes at once")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Optional[bool]:
    """Takes the place of pytest's own loop where there is more than one process."""
    files, option = _by_file(session.items), session.config.option
    count = min(option.processes, len(files))
    if count < 2 or option.usepdb or option.collectonly or session.testsfailed:
        return None
    session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one for all; it ends with this process
    numbers = _numbers(len(files))
    workers = dict(_fork(session, files, numbers) for _ in range(count))
    os.close(numbers)
    try:
        _listen(session, dict.fromkeys(workers, "its start"))
    finally:
        for end, process in workers.items():
            os.close(end)
            os.kill(process, signal.SIGTERM)  # it has ended, or its tests are wanted no more
            os.waitpid(process, 0)
    return True


def _by_file(items: List[pytest.Item]) -> _Files:
    files = [list(group) for _, group in groupby(items, lambda item: item.path)]
    return sorted(files, key=lambda group: not any(name in group[0].path.parts for name in _FIRST))


def _numbers(count: int) -> int:
    """Returns the end of a pipe from which each number below `count` can be read once."""
    numbers, end = os.pipe()
    os.write(end, b"".join(map(_NUMBER.pack, range(count))))
    os.close(end)
    return numbers


# in the process that reports -----------------------------------------------------------------------------------------


def _fork(session: pytest.Session, files: _Files, numbers: int) -> Tuple[int, int]:
    """Starts a process; returns the end of the pipe on which it tells what it does, and its id."""
    heard, told = os.pipe()
    process = os.fork()
    if not process:
        os.close(heard)
        _work(session, files, numbers, told)
    os.close(told)
    return heard, process


def _listen(session: pytest.Session, last: Dict[int, str]) -> None:
    """Passes on what the processes tell until all have ended. `last` has for each pipe where its process is."""
    kept = {end: bytearray() for end in last}
    with selectors.DefaultSelector() as selector:
        for end in last:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 16)
                kept[key.fd] += data
                for name, told in _messages(kept[key.fd]):
                    last[key.fd] = told[0] if name == "start" else "" if name == "end" else last[key.fd]
                    _pass_on(session, name, told)
                if not data:
                    selector.unregister(key.fd)
                    if last[key.fd]:
                        session.shouldfail = f"a process of the tests has died, at {last[key.fd]}"
                        raise session.Failed(session.shouldfail)


def _messages(kept: bytearray) -> List[Tuple[str, Any]]:
    """Takes the messages that are whole from what was read."""
    found = []
    while len(kept) >= _NUMBER.size and len(kept) >= (end := _NUMBER.size + _NUMBER.unpack_from(kept)[0]):
        found.append(pickle.loads(kept[_NUMBER.size : end]))
        del kept[:end]
    return found


def _pass_on(session: pytest.Session, name: str, told: Any) -> None:
    hook = session.config.hook
    if name == "report":
        hook.pytest_runtest_logreport(report=hook.pytest_report_from_serializable(config=session.config, data=told))
    elif name == "start":
        hook.pytest_runtest_logstart(nodeid=told[0], location=told[1])
    elif name == "finish":
        hook.pytest_runtest_logfinish(nodeid=told[0], location=told[1])
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


# in a process that runs tests ----------------------------------------------------------------------------------------


class _Teller:
    """Stands where the terminal's reporter would: tells the other process what happens."""

    def __init__(self, config: pytest.Config, end: int) -> None:
        self._config = config
        self._end = end

    def tell(self, name: str, told: Any) -> None:
        """Sends a message."""
        data = memoryview(pickle.dumps((name, told)))
        for part in (memoryview(_NUMBER.pack(len(data))), data):
            while part:
                part = part[os.write(self._end, part) :]

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        """A test begins."""
        self.tell("start", (nodeid, location))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test has ended."""
        self.tell("report", self._config.hook.pytest_report_to_serializable(config=self._config, report=report))

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        """A test has ended."""
        self.tell("finish", (nodeid, location))


def _work(session: pytest.Session, files: _Files, numbers: int, told: int) -> NoReturn:
    """Runs file after file, then ends the process."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(number))
    try:
        manager = session.config.pluginmanager
        for name in ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin", "junitxml"):
            if manager.hasplugin(name):
                manager.unregister(name=name)
        capture = manager.getplugin("capturemanager")
        capture.stop_global_capturing()  # its files are shared with the other processes
        capture.start_global_capturing()
        capture.suspend_global_capture()
        teller = _Teller(session.config, told)
        manager.register(teller)
        while number := os.read(numbers, _NUMBER.size):
            _run(session, files[_NUMBER.unpack(number)[0]])
        teller.tell("end", None)
    except (KeyboardInterrupt, SystemExit):
        pass  # its tests are wanted no more
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        session._setupstate.teardown_exact(None)  # ends what a test that was cut short has started
        os._exit(0)


def _run(session: pytest.Session, items: List[pytest.Item]) -> None:
    for item, following in zip(items, [*items[1:], None]):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
