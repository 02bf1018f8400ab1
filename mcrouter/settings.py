"""The one table of settings: name, flag, type, default, help. The command line and the README's table derive from it.

The functions that read a value raise ValueError with what was expected; `invalid_value` makes the message of it.
"""

import os
import re
import socket
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Union

from .system.memory_limit import default_bound


class SettingsError(ValueError):
    """Raised for an invalid value of a setting; the message names the flag and says what was expected."""


class Address(NamedTuple):
    """Where to listen: `kind` is tcp, unix or fd. An empty `host` means every address."""

    text: str
    kind: str
    host: str = ""
    port: int = 0
    path: str = ""
    fd: int = -1
    mode: Optional[int] = None
    """Of a unix socket's file; None: what the umask leaves."""


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")  # Go's two signs for micro
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:/]*)):(?P<port>[0-9]{1,5})")
_NAME = re.compile(r"(?!.{254})(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
_LISTEN = "tcp://HOST:PORT (port 0 to 65535), tcp://[::1]:8080, unix:///path?mode=660 or fd://N"
_METRICS = "HOST:PORT, :PORT for every address, fd://N, or off"


def duration(text: str) -> float:
    """Returns the seconds of a Go duration such as `200ms` or `1m30s`; raises ValueError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("a duration such as 200ms, 10s, 1m30s or 1h")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds < 1e9:
        raise ValueError("a duration longer than 0s, such as 200ms, 10s or 1m30s")
    return float(seconds)


def seconds(value: Any) -> float:
    """Reads a Go duration, or a number of seconds; raises ValueError."""
    if isinstance(value, str):
        return duration(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise ValueError("a number of seconds above 0, or a duration such as 200ms")
    return float(value)


def idle_time(value: Any) -> float:
    """Reads a Go duration, a number of seconds, or `off`, which is 0; raises ValueError."""
    if value in ("off", 0):
        return 0.0
    try:
        return seconds(value)
    except ValueError as error:
        raise ValueError(f"{error}, or off") from None


def whole(low: int, high: int, unit: str = "") -> Callable[[Any], int]:
    """Returns a function that reads whole numbers from `low` to `high`, which count so many of `unit`."""
    kind = f"a whole number of {unit}" if unit else "a whole number"

    def read(value: Any) -> int:
        number = int(value) if re.fullmatch("[0-9]{1,18}", str(value)) else -1
        if not low <= number <= high:
            raise ValueError(f"{kind} from {low} to {high}")
        return number

    return read


def milliseconds(low: int, high: int) -> Callable[[Any], int]:
    """Returns a function that reads so many milliseconds."""
    return whole(low, high, "milliseconds")


def memory_bound(value: Any) -> int:
    """Reads a number of bytes; for an empty text, returns the default. Raises ValueError."""
    return default_bound() if value == "" else whole(0, 1 << 50, "bytes")(value)


def listen_address(value: Union[str, Address]) -> Address:
    """Reads tcp://HOST:PORT, unix:///path or fd://N; raises ValueError."""
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError(_LISTEN)
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "tcp", value
    if scheme == "unix":
        return _unix_address(value, rest)
    if scheme == "fd" and re.fullmatch("[0-9]{1,9}", rest):
        return Address(value, "fd", fd=int(rest))
    match = _HOST_PORT.fullmatch(rest) if scheme == "tcp" else None
    if match is None or int(match["port"]) > 65535 or not _is_host(match["v6"], match["host"]):
        raise ValueError(_LISTEN)
    return Address(value, "tcp", host=match["v6"] or match["host"], port=int(match["port"]))


def _unix_address(text: str, rest: str) -> Address:
    path, separator, mode = rest.partition("?mode=")
    if not path.startswith("/") or "\0" in path or bool(separator) != bool(re.fullmatch("[0-7]{3}", mode)):
        raise ValueError(_LISTEN)
    return Address(text, "unix", path=path, mode=int(mode, 8) if mode else None)


def _is_host(v6: Optional[str], name: str) -> bool:
    """Returns whether the resolver can be asked for a name: for some invalid ones it raises UnicodeError."""
    if v6 is None:
        return not name or _NAME.fullmatch(name) is not None
    number, percent, scope = v6.partition("%")
    try:
        socket.inet_pton(socket.AF_INET6, number)
    except (OSError, ValueError):  # ValueError: not ASCII, or a NUL
        return False
    return not percent or _NAME.fullmatch(scope) is not None


def listen_addresses(value: Any) -> Tuple[Address, ...]:
    """Reads one address or several; raises ValueError."""
    several = value if isinstance(value, (list, tuple)) and not isinstance(value, Address) else [value]
    if not several:
        raise ValueError(_LISTEN)
    return tuple(listen_address(one) for one in several)


def metrics_address(value: Union[str, Address, None]) -> Optional[Address]:
    """Reads HOST:PORT, or `off`, which is None; raises ValueError."""
    if value is None or value == "off":
        return None
    try:
        address = listen_address(value)
    except ValueError:
        raise ValueError(_METRICS) from None
    if address.kind == "unix":
        raise ValueError(_METRICS)
    return address


class OneOf:
    """Reads one of these words."""

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def __call__(self, value: Any) -> str:
        """Returns the word; raises ValueError."""
        if value not in self.choices:
            raise ValueError(f"one of {', '.join(self.choices)}")
        return str(value)


def _file(value: Any) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or "\0" in path:
        raise ValueError("the name of a file, or - for standard input")
    return path


def switch(value: Any) -> bool:
    """Reads on or off; raises ValueError."""
    if value in ("on", True):
        return True
    if value in ("off", False):
        return False
    raise ValueError("on or off")


def route_prefix(value: Any) -> str:
    """Reads a routing prefix of facebook/mcrouter; raises ValueError."""
    if not isinstance(value, str) or re.fullmatch(r"/[^/\s]*/[^/\s]*/", value) is None:
        raise ValueError("a routing prefix such as /region/cluster/")
    return value


def config_params(value: Any) -> Dict[str, str]:
    """Reads `name:value,name:value`, or a map; raises ValueError."""
    if isinstance(value, dict):
        return {str(name): str(one) for name, one in value.items()}
    pairs = [one.partition(":") for one in str(value).split(",") if one]
    if any(not colon or not name for name, colon, _ in pairs):
        raise ValueError("name:value pairs with commas between them, such as a:b,c:d")
    return {name: one for name, _, one in pairs}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[\w.-]{1,64}", value) is None:
        raise ValueError("a name of letters, digits, '.', '_' and '-'")
    return value


def _family(value: Any) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}", value) is None:
        raise ValueError("a name of letters, digits and '_', such as mcrouter or gomcrouter")
    return value


class Alias(NamedTuple):
    """Another flag for a setting, the one of facebook/mcrouter; `value` makes the setting's own value."""

    flags: Tuple[str, ...]
    metavar: str
    value: Callable[[str], str] = str


class Setting(NamedTuple):
    """A row of the table; without a `metavar` it is a switch. `read` makes the value, or raises ValueError with what is
    expected; `default` is as on the command line."""

    name: str
    short: str
    metavar: str
    default: str
    read: Callable[[Any], Any]
    help: str
    group: str
    many: bool = False
    aliases: Tuple[Alias, ...] = ()

    @property
    def flag(self) -> str:
        """The long flag."""
        return "--" + self.name.replace("_", "-")


SETTINGS = (
    Setting("router_config", "-f", "FILE", "", _file, "the config; - reads standard input", "config",
            aliases=(Alias(("--config",), "file:FILE", lambda text: text[5:] if text.startswith("file:") else text),)),
    Setting("config_str", "", "TEXT", "", _text, "the config itself, in the place of a file", "config"),
    Setting("disable_reload_configs", "", "", "off", switch, "read a changed config on SIGHUP alone, not by itself",
            "config"),
    Setting("reconfiguration_delay_ms", "", "N", "1000", milliseconds(10, 3_600_000), "ms between looks at the file",
            "config"),
    Setting("config_params", "", "A:B,C:D", "", config_params, "values for %A% and %C% in the config", "config"),
    Setting("route_prefix", "-R", "PREFIX", "/././", route_prefix, "routing prefix of keys without one", "config"),
    Setting("send_invalid_route_to_default", "", "", "off", switch,
            "keys with a prefix that no route has take the default route", "config"),
    Setting("router_name", "", "NAME", "mcrouter", _name, "name of this router: %router-name%, and in the async log",
            "config"),
    Setting("listen", "-l", "ADDR", "tcp://:8080", listen_addresses,
            "tcp://HOST:PORT (no host: every address), unix:///path (?mode=660 behind it: the file's mode) or fd://N; "
            "may be given again", "listening", True,
            (Alias(("-p", "--port"), "N", lambda text: f"tcp://:{text}"),
             Alias(("--listen-sock-fd",), "N", lambda text: f"fd://{text}"))),
    Setting("metrics_listen_addr", "-L", "ADDR", ":9090", metrics_address, "metrics over HTTP; off disables",
            "listening"),
    Setting("metrics_namespace", "", "NAME", "mcrouter", _family,
            "what the metrics' names begin with; gomcrouter, to take its dashboards over", "listening"),
    Setting("max_connections", "", "N", "0", whole(0, 100_000_000, "clients"),
            "clients at once; more are told so and closed (0: no limit)", "listening"),
    Setting("client_idle_timeout", "", "D", "off", idle_time, "close clients that are idle for so long", "listening"),
    Setting("error_style", "", "STYLE", "memcached", OneOf("memcached", "mcrouter"),
            "wording of errors: memcached's, or facebook/mcrouter's", "listening"),
    Setting("allow_only_gets", "", "", "off", switch, "refuse all commands that change anything", "listening"),
    Setting("enable_flush_cmd", "", "", "off", switch, "with pools: flush_all goes to all hosts", "listening"),
    Setting("server_event_loops", "-n", "N", "1", whole(1, 1024, "event loops"), "server event loops (a process each)",
            "engine", aliases=(Alias(("--num-proxies",), "N"),)),
    Setting("buffer_size", "-b", "N", "1048576", whole(4096, 1 << 30, "bytes"),
            "socket buffers in bytes, and the most that is held for one connection", "engine"),
    Setting("max_memory", "", "N", "", memory_bound,
            "bytes held for all clients; when short, large replies are asked again in turn (0: no limit)", "engine"),
    Setting("upstream_connections", "-C", "N", "1", whole(1, 1024, "connections"),
            "connections per host and event loop (with 1 a host gets what all clients write in one order)", "upstream"),
    Setting("timeout_ms", "-r", "N", "1000", milliseconds(1, 3_600_000),
            "upstream timeout in ms, to connect and to reply", "upstream",
            aliases=(Alias(("--server-timeout",), "N"),)),
    Setting("timeouts_until_tko", "", "N", "3", whole(1, 1_000_000, "timeouts"),
            "timeouts in a row that make a host unhealthy", "upstream"),
    Setting("healthcheck_interval", "-H", "D", "10s", seconds, "time between health checks of a host", "upstream"),
    Setting("probe_timeout_initial", "", "N", "0", milliseconds(0, 3_600_000),
            "ms until an unhealthy host is probed first (0: 1/32 of the interval)", "upstream"),
    Setting("probe_timeout_max", "", "N", "0", milliseconds(0, 86_400_000),
            "ms between such probes at most (0: the interval)", "upstream"),
    Setting("dns_cache_ttl", "-t", "D", "30s", seconds, "how long a resolved name is used", "upstream"),
    Setting("async_dir", "-a", "DIR", "", _file, "folder for deletes that could not be delivered; see replay",
            "upstream"),
    Setting("asynclog_disable", "", "", "off", switch, "keep no such deletes, whatever the folder", "upstream"),
    Setting("log_level", "", "LEVEL", "info", OneOf("debug", "info", "warning", "error"),
            "debug, info, warning or error", "logging"),
)  # fmt: skip
UNSET = {
    "router_config": "router.yaml, else router.json",
    "max_memory": "a quarter of what the machine or the cgroup allows",
}
"""What a setting without a value means."""
BY_NAME: Dict[str, Setting] = {setting.name: setting for setting in SETTINGS}


class Settings:
    """A checked value for every setting: `Settings(timeout_ms=500, listen="tcp://127.0.0.1:0")`.

    Values are as on the command line, or the plain Python value; they stay as they are. Raises SettingsError.
    """

    router_config: str
    config_str: str
    disable_reload_configs: bool
    reconfiguration_delay_ms: int
    config_params: Dict[str, str]
    route_prefix: str
    send_invalid_route_to_default: bool
    router_name: str
    listen: Tuple[Address, ...]
    metrics_listen_addr: Optional[Address]
    metrics_namespace: str
    max_connections: int
    client_idle_timeout: float
    error_style: str
    allow_only_gets: bool
    enable_flush_cmd: bool
    server_event_loops: int
    buffer_size: int
    max_memory: int
    upstream_connections: int
    timeout_ms: int
    timeouts_until_tko: int
    healthcheck_interval: float
    probe_timeout_initial: int
    probe_timeout_max: int
    dns_cache_ttl: float
    async_dir: str
    asynclog_disable: bool
    log_level: str

    def __init__(self, **values: Any) -> None:
        unknown = sorted(set(values) - set(BY_NAME))
        if unknown:
            raise SettingsError(f"unknown setting {unknown[0]!r}: expected one of {', '.join(BY_NAME)}")
        for setting in SETTINGS:
            value = values.get(setting.name, setting.default)
            try:
                self.__dict__[setting.name] = setting.read(value)
            except ValueError as error:
                raise SettingsError(invalid_value(setting.flag, value, error)) from None

    def texts(self) -> Dict[str, str]:
        """Returns the values as on the command line, by name."""
        return {name: _as_flag(self.__dict__[name]) for name in BY_NAME}

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Settings cannot be changed; make another one with its own {name}")


def _as_flag(value: Any) -> str:
    if isinstance(value, Address):
        return value.text
    if isinstance(value, tuple):
        return ",".join(map(_as_flag, value))
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}s" if value else "off"
    return "off" if value is None else str(value)


def invalid_value(name: str, value: Any, expected: object) -> str:
    """Returns the message for an invalid value of a flag, or of whatever has this name."""
    shown: List[str] = [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
    return f"invalid value {shown[0] if len(shown) == 1 else shown!r} for {name}: expected {expected}"


def flags_table() -> str:
    """Returns the README's table of flags."""
    rows = [("flag", "default", "meaning"), ("---",) * 3]
    for setting in SETTINGS:
        flags = ", ".join(flag for flag in (setting.short, setting.flag) if flag)
        also = ", ".join(f"`{' or '.join(alias.flags)} {alias.metavar}`" for alias in setting.aliases)
        default = f"`{setting.default}`" if setting.default else UNSET.get(setting.name, "-")
        name = f"`{f'{flags} {setting.metavar}'.strip()}`"
        rows.append((name, default, setting.help + (f"; also {also}" if also else "")))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
