"""What the commands of the tools have in common: how they refuse a flag, and how they end."""

import argparse
import signal
import sys
from typing import Callable, NoReturn, Tuple, Type

BAD_FLAG = 2
"""The exit code after a flag that is refused."""


class Parser(argparse.ArgumentParser):
    """One line for a bad flag, instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with the message."""
        self.exit(BAD_FLAG, f"{self.prog}: {message}; --help lists the flags\n")


def run_command(name: str, work: Callable[[], int], errors: Tuple[Type[Exception], ...], failed: int) -> int:
    """Does the work; returns its exit code, `failed` after one of `errors`, which is told in one line, or 130 after ^C.

    SIGTERM and SIGHUP end the program by SystemExit, so that what it has started is ended, too.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        return work()
    except errors as error:
        print(f"{name}: {error}", file=sys.stderr)
        return failed
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
