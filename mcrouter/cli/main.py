"""The command line: flags to Settings, subcommands, logging, exit codes.

Exit codes: 0 after SIGTERM or SIGINT (in-flight requests are answered first; a second SIGINT ends at once, with 1);
2 for an invalid flag or config, with one line on stderr; 1 if the router cannot run, as when a port is taken.
"""

import gc
import logging
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence

from .. import __version__
from ..settings import SETTINGS, Settings, SettingsError
from ..system.logs import PACKAGE, OneLine, StderrHandler, get_logger
from ..system.printable import printable
from .plain_flags import plain_flags

if TYPE_CHECKING:
    from .arguments import Parser

_USAGE_ERROR, _CANNOT_RUN = 2, 1
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Subcommand(NamedTuple):
    """A row of the table of subcommands. In `module`, `parser()` makes the Parser, and `main(args)` runs the subcommand
    with the parsed flags and returns the exit code."""

    name: str
    module: str
    main: str
    parser: str
    help: str

    def make_parser(self) -> "Parser":
        """Returns the subcommand's parser."""
        made: Parser = self._in_module(self.parser)()
        return made

    def run(self, argv: Sequence[str]) -> int:
        """Runs the subcommand; returns the exit code."""
        return self.make_parser().run(argv, self._in_module(self.main))

    def _in_module(self, name: str) -> Any:
        return getattr(import_module(f".{self.module}", __package__), name)


SUBCOMMANDS = (
    Subcommand("explain", "explain", "explain", "explain_parser", "what a request would do, without a server"),
    Subcommand("graph", "explain", "graph", "graph_parser", "the routes of every command, also for Graphviz"),
    Subcommand("top", "top", "main", "make_parser", "a running router's hosts, on the terminal"),
    Subcommand("replay", "replay", "main", "make_parser", "deliver the deletes of an async log"),
    Subcommand("completion", "completion", "main", "make_parser", "a completion script for bash, zsh or fish"),
)


def make_parser() -> Any:
    """Returns the router's parser, for --help and for what the plain flags (plain_flags.py) are not."""
    return import_module(".arguments", __package__).make_parser(SUBCOMMANDS)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    _open_standard()
    words = sys.argv[1:] if argv is None else argv
    for row in SUBCOMMANDS:
        if words and words[0] == row.name:
            return row.run(words[1:])
    gc.disable()  # a start makes hardly any garbage; the router enables it when it has started
    try:
        plain = plain_flags(words)
        code: int = _main(plain) if plain is not None else make_parser().run(words, _main)
    finally:
        gc.enable()
    return code


def _open_standard() -> None:
    """Opens /dev/null for each of stdin, stdout and stderr that is closed.

    Otherwise sockets would get their numbers, would be written to as the log, and would be closed by a restart.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # open() gives the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(fd, "w" if fd else "r", closefd=False))  # noqa: SIM115 (for the process's life)


def _main(args: Any) -> int:
    try:
        settings = parsed_settings(args, _activated())
    except SettingsError as error:
        return complain(str(error), _USAGE_ERROR)
    _log_to_stderr(settings.log_level)
    if args.demo is not None:
        if settings.router_config or args.validate_config:
            message = "--demo has its own config; leave out --router-config and --validate-config"
            return complain(message, _USAGE_ERROR)
        return _demo(args.demo, settings)
    return _run(settings, args.validate_config == "exit")


def parsed_settings(args: Any, defaults: Optional[Dict[str, Any]] = None) -> Settings:
    """Returns the settings that the flags give; raises SettingsError."""
    given = {s.name: getattr(args, s.name, None) for s in SETTINGS}
    return Settings(**{**(defaults or {}), **{name: value for name, value in given.items() if value is not None}})


def _activated() -> Dict[str, Any]:
    """Returns the settings from a service manager; without one, no module is imported for that."""
    if "LISTEN_FDS" not in os.environ:
        return {}
    from ..server.processes.takeover import activated

    found: Dict[str, Any] = dict(activated())
    if "metrics_listen_addr" in found:
        found["metrics_listen_addr"] = found["metrics_listen_addr"][0]
    return found


def complain(message: str, code: int) -> int:
    """Prints one line on stderr; returns the exit code."""
    print(f"mcrouter: {printable(message)}", file=sys.stderr)
    return code


def _log_to_stderr(level: str) -> None:
    handler = StderrHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger(PACKAGE)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _run(settings: Settings, only_validate: bool) -> int:
    from ..config import ConfigError
    from ..server.configs.reading import describe
    from ..server.configs.source import config_source

    try:
        source = config_source(settings)
        config = source.read()
    except (ConfigError, SettingsError) as error:
        return complain(str(error), _USAGE_ERROR)
    if only_validate:
        print(describe(config))
        return 0
    for warning in config.warnings:
        get_logger(__name__).warning("the config: %s", warning)
    if not source.can_change:
        return _serve(config, settings)
    return _serve(config, settings, watch=lambda router: _watch(source, router, settings))


def _watch(source: Any, router: Any, settings: Settings) -> Any:
    """Starts to watch the config source for the router; returns the watcher, which must be stopped at the end."""
    from ..server.configs.watcher import ConfigWatcher

    delay = None if settings.disable_reload_configs else settings.reconfiguration_delay_ms / 1000
    watcher = ConfigWatcher(source, router.reload, router.config_state, delay)
    signal.signal(signal.SIGHUP, lambda *_: watcher.now())
    watcher.start()
    return watcher


def _serve(config: Any, settings: Settings, greet: Any = None, watch: Any = None) -> int:
    from ..errors import RouterError
    from ..router import Router
    from ..server.processes.systemd import notify
    from ..server.processes.takeover import Restarter, inherited

    _raise_descriptor_limit()
    try:
        router = Router(config, settings, inherited())
    except RouterError as error:
        return complain(str(error), _CANNOT_RUN)
    router.owns_process = True
    router.command_args = " ".join(sys.argv[1:])
    _end_on_signals(router)  # before it listens, so that every client sees an orderly end
    early: List[int] = []  # signals that came before their handlers were ready
    for wish in (signal.SIGHUP, signal.SIGUSR2):
        signal.signal(wish, lambda number, _frame: early.append(number))
    try:
        router.bind()
    except RouterError as error:
        return complain(str(error), _CANNOT_RUN)
    logger = get_logger(__name__)
    logger.info("mcrouter %s listens on %s, metrics on %s", __version__, ", ".join(router.addresses),
                router.metrics_address or "no port")  # fmt: skip
    if greet is not None:
        greet(router)
    watcher = watch(router) if watch is not None else None
    restarter = Restarter(router)
    signal.signal(signal.SIGUSR2, lambda *_: restarter.now())
    for came in tuple(early):
        signal.raise_signal(came)
    notify("READY=1")
    router.serve()
    if watcher is not None:
        watcher.stop()
    for number in _ENDING:  # else a further signal would kill Python while it shuts down
        signal.signal(number, signal.SIG_IGN)
    return 0


def _raise_descriptor_limit() -> None:
    """Raises the soft limit of descriptors to the hard limit; the soft one is for programs that use select(2)."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            pass  # macOS has a lower limit of its own


def _end_on_signals(router: Any) -> None:
    interrupts: List[int] = []

    def stop(number: int, _frame: Any) -> None:
        if number == signal.SIGINT:
            interrupts.append(number)
            if len(interrupts) > 1:
                os._exit(_CANNOT_RUN)
        router.stop()

    for number in _ENDING:
        signal.signal(number, stop)


def _demo(count: str, settings: Settings) -> int:
    from ..demo import Demo

    try:
        demo = Demo(count, settings)
    except SettingsError as error:
        return complain(str(error), _USAGE_ERROR)
    with demo:
        return _serve(demo.config, settings, demo.show)
