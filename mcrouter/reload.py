"""The config file while the router runs: read again when it changes or on SIGHUP, and refused when it is bad."""

import os
import threading
from typing import Callable, Dict, Optional, Sequence, Tuple

from .config import Config, ConfigError
from .logs import get_logger
from .policy import giving_way
from .steady import unix_time

logger = get_logger(__name__)

_PATIENCE = 5.0  # seconds that a file, or what a config does to the router, may keep the thread from ending

_Stat = Optional[Tuple[Tuple[int, int, int], ...]]


class ConfigState:
    """Of the config that serves: since when, and what became of the newer ones."""

    def __init__(self) -> None:
        self.failures = 0
        self.successful = True
        self.since = self.last_attempt = unix_time()  # Unix time
        self.error = ""  # of the newest, if it was refused
        self.on_change: Callable[[], None] = lambda: None

    def taken(self) -> None:
        """A new one serves."""
        self.since = self.last_attempt = unix_time()
        self.successful, self.error = True, ""
        self.on_change()

    def refused(self, error: str) -> None:
        """A new one was no good."""
        self.error = error
        self.last_attempt = unix_time()
        self.failures += 1
        self.successful = False
        self.on_change()

    def facts(self) -> Dict[str, float]:
        """As metrics."""
        return {
            "config_failures_total": self.failures,
            "config_last_reload_successful": int(self.successful),
            "config_age_seconds": unix_time() - self.since,
        }


class ConfigWatcher:
    """A thread that keeps the router at what the file says.

    `read` reads and checks it, `apply` puts it into effect; both raise ConfigError or ValueError with the reason when
    they cannot, and what serves goes on serving. A file that has changed is read once two looks in a row see the same:
    whoever writes it has finished. `delay` is how many seconds lie between two looks; None: just `now` asks. The
    files that a config imports are watched, too.
    """

    def __init__(
        self,
        path: str,
        read: Callable[[], Config],
        apply: Callable[[Config], None],
        state: ConfigState,
        delay: Optional[float] = 1.0,
        imports: Sequence[str] = (),
    ) -> None:
        self._path = path
        self._imports = imports
        self._read = read
        self._apply = apply
        self._state = state
        self._delay = delay
        self._seen = self._loaded = self._stat()
        self._woken = threading.Event()
        self._asked = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mcrouter-config", daemon=True)

    def start(self) -> None:
        """From here on."""
        self._thread.start()

    def now(self) -> None:
        """Reads the file, changed or not. Safe in a signal handler."""
        self._asked = True
        self._woken.set()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping = True
        self._woken.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while True:
            self._woken.wait(self._delay)
            self._woken.clear()
            if self._stopping:
                return
            asked, self._asked = self._asked, False
            if asked or self._has_changed():
                self._load()

    def _stat(self) -> _Stat:
        return _stat([self._path, *self._imports])

    def _has_changed(self) -> bool:
        before, self._seen = self._seen, self._stat()
        return self._seen is not None and self._seen == before and self._seen != self._loaded

    def _load(self) -> None:
        self._loaded = self._seen = self._stat()
        try:
            with giving_way():
                config = self._read()
                self._apply(config)
        except (ConfigError, ValueError) as error:
            self._state.refused(str(error))
            logger.error("the config is not taken, and the one before stays: %s", error)
        except Exception as error:  # a bug of ours must not end the thread
            self._state.refused(repr(error))
            logger.exception("unexpected error with the config of %s; the one before stays", self._path)
        else:
            if self._imports != config.imports:
                self._imports = config.imports
                self._loaded = self._seen = self._stat()
            self._state.taken()
            for warning in config.warnings:
                logger.warning("the config: %s", warning)
            logger.info("the config is taken from %s", self._path)


def _stat(paths: Sequence[str]) -> _Stat:
    try:
        found = [os.stat(path) for path in paths]
    except OSError:
        return None  # one is being replaced, or has gone: neither is a new config
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
