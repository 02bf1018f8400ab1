"""The parsers of the command line and of its subcommands (argparse), derived from the table of settings. A start with
plain flags (plain_flags.py) does without them."""

import argparse
from typing import Any, Callable, Dict, Iterable, List, NoReturn, Sequence

from .. import __version__
from ..settings import SETTINGS, UNSET, OneOf, Setting, invalid_value
from .source_hash import source_hash

_USAGE_ERROR = 2
_INVALID = ": invalid value "
_GROUPS = ("config", "listening", "engine", "upstream", "logging")


class Parser(argparse.ArgumentParser):
    """The parser of a command. It reports an invalid flag in one line, without the usage; it takes no abbreviations."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def run(self, argv: Sequence[str], main: Callable[[argparse.Namespace], int]) -> int:
        """Runs `main` with the parsed flags; returns the exit code, also for `--help` and for an invalid flag."""
        try:
            args = self.parse_args(argv)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return main(args)

    def error(self, message: str) -> NoReturn:
        """Reports an invalid flag. The message of `value_of` names the flag itself."""
        own = message.find(_INVALID)
        if message.startswith("argument ") and own > 0:
            message = message[own + len(": ") :]
        self.exit(_USAGE_ERROR, f"{self.prog}: {message}; --help lists the flags\n")


def value_of(name: str, read: Callable[[Any], Any]) -> Callable[[str], Any]:
    """Returns the `type` of a flag: reads its value as a setting is read (settings.py), and says what was expected."""

    def convert(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(invalid_value(name, text, error)) from None

    return convert


class Version(argparse.Action):
    """Prints the version and the hash of the sources."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Prints them, and ends."""
        print(f"mcrouter {__version__} (source {source_hash()})")
        parser.exit()


def make_parser(subcommands: Iterable[Any]) -> Parser:
    """Returns the router's parser, derived from the table of settings and from that of the subcommands."""
    parser = Parser(
        prog="mcrouter",
        usage=_usage(list(subcommands)),
        description="Routes the requests of memcached clients to memcached hosts, as a config file says.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=38, width=110),
        add_help=False,
    )
    config = flags_for(parser, _GROUPS)["config"]
    config.add_argument("--validate-config", nargs="?", const="exit", choices=("exit", "run"),
                        type=value_of("--validate-config", OneOf("exit", "run")),
                        help="check the config, print the route of each command, and exit")  # fmt: skip
    config.add_argument("--demo", nargs="?", const="2", metavar="N",
                        help="no config: N (2) embedded memcached hosts behind the sample policy")  # fmt: skip
    other = parser.add_argument_group("other")
    other.add_argument("-V", "--version", action=Version, nargs=0, help="print the version and a hash of the sources")
    other.add_argument("-h", "--help", action="help", help="print this help")
    return parser


def _usage(subcommands: List[Any]) -> str:
    width = max(len(row.name) for row in subcommands)
    rows = [f"       %(prog)s {row.name:{width}} ...   {row.help}\n" for row in subcommands]
    return f"%(prog)s [flags]\n{''.join(rows)}"


def flags_for(parser: argparse.ArgumentParser, names: Iterable[str]) -> Dict[str, Any]:
    """Adds the flags of these groups of settings; returns the groups by name."""
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
