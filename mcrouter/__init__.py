"""mcrouter for Python: a memcached request router that needs only the standard library.

    from mcrouter import Router, Settings, load_config

    with Router(load_config(text), Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="off")) as router:
        print(router.addresses)

A tour of the rooms:

    cli/         the command line: flags -> Settings, subcommands    config/    text -> checked model
    settings.py  the one table of settings                          proto/     bytes <-> requests and replies; no I/O
    router.py    config + settings -> a running router              routes/    policies; no sockets
    server/      event loops and their processes, restarts          engine/    epoll loop, clients/, hosts/; no policy
    client.py    a client without a socket                          hashing/   hash functions that place keys
    explain/     what a request would do, without a server          counters/  cells that count, and their one reader
    status/      the status page; top/: the same on a terminal      metrics/   the pages of the metrics port
    testing/     embedded hosts to test with; demo/: --demo         stats/     the router's own `stats`
    system/      log, clock, memory limit, imports after the start  spool/     the async log, and its replay

The path of a request: engine.clients.inbox reads bytes, proto.client.stream cuts them into requests, a route chooses
hosts, engine.hosts.host sends what passes proto.host.gate, a connection of engine.hosts.connections waits for the
answer, and proto.host.stream cuts it into replies, which go back through the route to engine.clients.connection; there
is one write per client and tick.
"""

TYPE_CHECKING = False  # typing's own, without importing typing
if TYPE_CHECKING:
    from .config import ConfigError
    from .errors import RequestError, RouterError
    from .router import Router
    from .server.configs.reading import load_config
    from .settings import Settings, SettingsError

__version__ = "0.1.0"
__all__ = [
    "ConfigError",
    "RequestError",
    "Router",
    "RouterError",
    "Settings",
    "SettingsError",
    "__version__",
    "load_config",
]

_HOME = {"ConfigError": "config", "RequestError": "errors", "Router": "router", "RouterError": "errors",
         "Settings": "settings", "SettingsError": "settings", "load_config": "server.configs.reading"}  # fmt: skip


def __getattr__(name: str) -> object:
    """Loads each public name when it is first used, so that importing the package costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
