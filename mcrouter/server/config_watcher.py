"""Watches the config file: reads it again when it changes or on SIGHUP, and refuses an invalid one."""

import os
import threading
from typing import Callable, Optional, Sequence, Tuple

from ..config import Config, ConfigError
from ..system.interpreter import short_gil_turns
from ..system.logs import get_logger
from .config_state import ConfigState

logger = get_logger(__name__)

_PATIENCE = 5.0  # seconds that `stop` waits for a slow file, or for a config that is being applied

_Stat = Optional[Tuple[Tuple[int, int, int], ...]]


class ConfigWatcher:
    """A thread that applies each new version of the config file to the router.

    `read` reads and checks the file, `apply` puts the config into effect. Both raise ConfigError or ValueError, with
    the reason, if they fail; then the current config stays in effect. A changed file is read after two checks in a row
    have seen the same state, so that its writer has finished. `delay`: seconds between two checks; None: the file is
    read only on `now`. The files that a config imports are watched too. `before`: the state of the file before the
    current config was read of it (`file_state`), so that no change is overlooked since then.
    """

    def __init__(
        self,
        path: str,
        read: Callable[[], Config],
        apply: Callable[[Config], None],
        state: ConfigState,
        delay: Optional[float] = 1.0,
        imports: Sequence[str] = (),
        before: _Stat = None,
    ) -> None:
        self._path = path
        self._imports = imports
        self._read = read
        self._apply = apply
        self._state = state
        self._delay = delay
        self._seen = self._loaded = self._stat()
        if before is not None and self._seen is not None:
            self._loaded = (*before, *self._seen[1:])
        self._woken = threading.Event()
        self._asked = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mcrouter-config", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def now(self) -> None:
        """Makes the thread read the file, changed or not. Safe in a signal handler."""
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
            with short_gil_turns():
                config = self._read()
                self._apply(config)
        except (ConfigError, ValueError) as error:
            self._state.refused(str(error))
            logger.error("the new config is refused, and the previous one stays in effect: %s", error)
        except Exception as error:  # a bug of this program must not end the thread
            self._state.refused(repr(error))
            logger.exception("unexpected error with the config of %s; the previous one stays in effect", self._path)
        else:
            if self._imports != config.imports:
                self._imports = config.imports
                self._loaded = self._seen = self._stat()
            self._state.taken()
            for warning in config.warnings:
                logger.warning("the config: %s", warning)
            logger.info("the new config of %s is in effect", self._path)


def file_state(path: str) -> _Stat:
    """Returns the state of a config file, by which a change is noticed; None if there is no file."""
    return _stat([path])


def _stat(paths: Sequence[str]) -> _Stat:
    try:
        found = [os.stat(path) for path in paths]
    except OSError:
        return None  # a file is being replaced, or was removed: neither is a new config
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
