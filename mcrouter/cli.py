"""The command line: flags to Settings, subcommands, logging, exit codes.

Exit codes: 0 after SIGTERM or SIGINT (in-flight requests are answered first; a second SIGINT ends at once, with 1);
2 for a bad flag or config, one line on stderr; 1 when it cannot run, such as a port that is taken.
"""

import argparse
import logging
import os
import signal
import sys
from importlib import import_module
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, NoReturn, Optional, Sequence

from . import __version__
from .logs import OneLine, StderrHandler, get_logger
from .printable import printable
from .settings import SETTINGS, UNSET, Setting, Settings, SettingsError

_USAGE_ERROR, _CANNOT_RUN = 2, 1
_GROUPS = ("config", "listening", "engine", "upstream", "logging")
_CONFIG_FILES = ("router.yaml", "router.json")
_ENDING = (signal.SIGTERM, signal.SIGINT)


class Subcommand(NamedTuple):
    """A row of the table of subcommands: `parser()` in `module` makes its Parser, `main(args)` there runs it with what
    that made of the flags, and returns the exit code."""

    name: str
    module: str
    main: str
    parser: str
    help: str

    def make_parser(self) -> "Parser":
        """Its parser."""
        made: Parser = self._in_module(self.parser)()
        return made

    def run(self, argv: Sequence[str]) -> int:
        """Runs it; the exit code."""
        return self.make_parser().run(argv, self._in_module(self.main))

    def _in_module(self, name: str) -> Any:
        return getattr(import_module(f".{self.module}", __package__), name)


SUBCOMMANDS = (
    Subcommand("explain", "explain.command", "explain", "explain_parser", "what a request would do, without a server"),
    Subcommand("graph", "explain.command", "graph", "graph_parser", "the policy of every command, also for Graphviz"),
    Subcommand("top", "top.command", "main", "make_parser", "a running router's hosts, on the terminal"),
    Subcommand("replay", "spool.command", "main", "make_parser", "deliver the deletes of an async log"),
    Subcommand("completion", "completion", "main", "make_parser", "a completion script for bash, zsh or fish"),
)


class Parser(argparse.ArgumentParser):
    """Of a command. One line for a bad flag, instead of the whole usage; no abbreviations."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def run(self, argv: Sequence[str], main: Callable[[argparse.Namespace], int]) -> int:
        """Runs `main` with what the flags say; the exit code, also of `--help` and of a bad flag."""
        try:
            args = self.parse_args(argv)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return main(args)

    def error(self, message: str) -> NoReturn:
        self.exit(_USAGE_ERROR, f"{self.prog}: {message}; --help lists the flags\n")


class Version(argparse.Action):
    """Says which version this is, and of what."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints it, and ends."""
        from .source import source_hash

        print(f"mcrouter {__version__} (source {source_hash()})")
        parser.exit()


def make_parser() -> Parser:
    """The parser, derived from the table of settings."""
    parser = Parser(
        prog="mcrouter",
        usage=_usage(),
        description="Routes memcached clients to memcached hosts by the policy of a config file.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=38, width=110),
        add_help=False,
    )
    config = flags_for(parser, _GROUPS)["config"]
    config.add_argument("--validate-config", nargs="?", const="exit", choices=("exit", "run"),
                        help="check the config, print what would be routed where, and exit")  # fmt: skip
    config.add_argument("--demo", nargs="?", const="2", metavar="N",
                        help="no config: N (2) embedded memcached hosts behind the sample policy")  # fmt: skip
    other = parser.add_argument_group("other")
    other.add_argument("-V", "--version", action=Version, nargs=0, help="print the version and a hash of the sources")
    other.add_argument("-h", "--help", action="help", help="print this")
    return parser


def _usage() -> str:
    width = max(len(row.name) for row in SUBCOMMANDS)
    rows = [f"       %(prog)s {row.name:{width}} ...   {row.help}\n" for row in SUBCOMMANDS]
    return f"%(prog)s [flags]\n{''.join(rows)}"


def flags_for(parser: argparse.ArgumentParser, names: Iterable[str]) -> Dict[str, Any]:
    """Adds the flags of these groups of settings; the groups by name."""
    groups = {name: parser.add_argument_group(name) for name in names}
    for setting in SETTINGS:
        if setting.group in groups:
            _add(groups[setting.group], setting)
    return groups


def _add(group: Any, setting: Setting) -> None:
    flags = [flag for flag in (setting.short, setting.flag) if flag]
    if not setting.metavar:
        group.add_argument(*flags, dest=setting.name, action="store_const", const=True, default=None,
                           help=f"{setting.help} (default {setting.default})")  # fmt: skip
        return
    default = setting.default or UNSET.get(setting.name, "none")
    action = "append" if setting.many else "store"
    group.add_argument(*flags, dest=setting.name, action=action, metavar=setting.metavar, default=None,
                       help=f"{setting.help} (default {default})".replace("%", "%%"))  # fmt: skip
    for alias in setting.aliases:
        group.add_argument(*alias.flags, dest=setting.name, action=action, type=alias.value, metavar=alias.metavar,
                           default=None, help=f"as {setting.flag}")  # fmt: skip


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command; returns the exit code."""
    _open_standard()
    words = sys.argv[1:] if argv is None else argv
    for row in SUBCOMMANDS:
        if words and words[0] == row.name:
            return row.run(words[1:])
    return make_parser().run(words, _main)


def _open_standard() -> None:
    """Opens /dev/null in the place of stdin, stdout and stderr where the process was started without: else sockets
    would have their numbers, be written to as a log, and be closed by a restart."""
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(fd, "w" if fd else "r", closefd=False))  # noqa: SIM115 (for the process's life)


def _main(args: argparse.Namespace) -> int:
    try:
        settings = parsed_settings(args, _activated())
    except SettingsError as error:
        return complain(str(error), _USAGE_ERROR)
    _log_to_stderr(settings.log_level)
    if args.demo is not None:
        if settings.router_config or args.validate_config:
            message = "--demo brings its own config; leave out --router-config and --validate-config"
            return complain(message, _USAGE_ERROR)
        return _demo(args.demo, settings)
    return _run(settings, args.validate_config == "exit")


def parsed_settings(args: argparse.Namespace, defaults: Optional[Dict[str, Any]] = None) -> Settings:
    """The settings that flags give; raises SettingsError."""
    given = {s.name: getattr(args, s.name, None) for s in SETTINGS}
    return Settings(**{**(defaults or {}), **{name: value for name, value in given.items() if value is not None}})


def _activated() -> Dict[str, Any]:
    """Settings that a service manager has made; without one nothing is imported for them."""
    if "LISTEN_FDS" not in os.environ:
        return {}
    from .restart import activated

    found: Dict[str, Any] = dict(activated())
    if "metrics_listen_addr" in found:
        found["metrics_listen_addr"] = found["metrics_listen_addr"][0]
    return found


def complain(message: str, code: int) -> int:
    """One line on stderr; the exit code."""
    print(f"mcrouter: {printable(message)}", file=sys.stderr)
    return code


def _log_to_stderr(level: str) -> None:
    handler = StderrHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger(__name__.rpartition(".")[0])
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


def _run(settings: Settings, only_validate: bool) -> int:
    from .config import ConfigError
    from .router import describe

    try:
        config = usable_config(settings)
    except (ConfigError, SettingsError) as error:
        return complain(str(error), _USAGE_ERROR)
    if only_validate:
        print(describe(config))
        return 0
    for warning in config.warnings:
        get_logger(__name__).warning("the config: %s", warning)
    path = config_path(settings)
    if not path or path == "-":
        return _serve(config, settings)
    return _serve(config, settings, watch=lambda router: _watch(path, router, settings))


def config_path(settings: Settings) -> str:
    """The config's file; nothing when there is none."""
    return settings.router_config or ("" if settings.config_str else next(filter(os.path.exists, _CONFIG_FILES), ""))


def usable_config(settings: Settings) -> Any:
    """The config that the settings name; raises ConfigError, or SettingsError where there is none."""
    from .config import load_config, load_file
    from .router import VOCABULARY, reading_options

    options, path = reading_options(settings), config_path(settings)
    if path:
        return load_file(path, VOCABULARY, options)
    if not settings.config_str:
        raise SettingsError("no router.yaml or router.json here; name a config with -f FILE, or try --demo")
    return load_config(settings.config_str, "--config-str", VOCABULARY, options)


def _watch(path: str, router: Any, settings: Settings) -> Any:
    """Keeps the router at what the file says; what it gives is to be stopped."""
    from .reload import ConfigWatcher

    def read() -> Any:
        return usable_config(settings)

    delay = None if settings.disable_reload_configs else settings.reconfiguration_delay_ms / 1000
    watcher = ConfigWatcher(path, read, router.reload, router.config_state, delay, router.config.imports)
    signal.signal(signal.SIGHUP, lambda *_: watcher.now())
    watcher.start()
    return watcher


def _serve(config: Any, settings: Settings, greet: Any = None, watch: Any = None) -> int:
    from .errors import RouterError
    from .notify import notify
    from .restart import Restarter, inherited
    from .router import Router

    _raise_descriptor_limit()
    try:
        router = Router(config, settings, inherited())
    except RouterError as error:
        return complain(str(error), _CANNOT_RUN)
    router.owns_process = True
    router.command_args = " ".join(sys.argv[1:])
    _end_on_signals(router)  # before it listens: who can connect to it can also expect it to end well
    early: List[int] = []  # signals that came before there was anybody to see to them
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
    for number in _ENDING:  # it ends well: Python would give the defaults back on its way out, and die of one more
        signal.signal(number, signal.SIG_IGN)
    return 0


def _raise_descriptor_limit() -> None:
    """As many connections as the administrator allows: the soft limit is for programs that use select(2)."""
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
    from .demo import Demo

    try:
        demo = Demo(count, settings)
    except SettingsError as error:
        return complain(str(error), _USAGE_ERROR)
    with demo:
        return _serve(demo.config, settings, demo.show)
