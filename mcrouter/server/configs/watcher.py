"""Watches a config source: reads it again when it has changed or when it is told to (SIGHUP), and refuses an invalid
config."""

import threading
from typing import Callable, Optional

from ...config import Config
from ...config.state import ConfigState
from ...errors import RouterError
from ...system.interpreter import short_gil_turns
from ...system.logs import get_logger
from .source import ConfigSource

logger = get_logger(__name__)

_PATIENCE = 5.0  # seconds that `stop` waits for a slow source, or for a config that is being applied


class ConfigWatcher:
    """A thread that applies each new config of a source to the router.

    `apply` puts a config into effect. If it, or reading the source, raises ValueError (as ConfigError is) or
    RouterError, then the current config stays in effect. `delay`: seconds between two checks; None: the source is read
    only on `now`.
    """

    def __init__(
        self, source: ConfigSource, apply: Callable[[Config], None], state: ConfigState, delay: Optional[float] = 1.0
    ) -> None:
        self._source, self._apply, self._state = source, apply, state
        self._delay = delay
        self._woken = threading.Event()
        self._asked = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="mcrouter-config", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def now(self) -> None:
        """Makes the thread read the source, changed or not. Safe in a signal handler."""
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
            if asked or self._source.changed():
                self._load()

    def _load(self) -> None:
        try:
            with short_gil_turns():
                config = self._source.read()
                self._apply(config)
        except (ValueError, RouterError) as error:
            self._state.refused(str(error))
            logger.error("the new config is refused, and the previous one stays in effect: %s", error)
        except Exception as error:  # a bug of this program must not end the thread
            self._state.refused(repr(error))
            source = self._source.describe()
            logger.exception("unexpected error with the config of %s; the previous one stays in effect", source)
        else:
            self._state.taken()
            for warning in config.warnings:
                logger.warning("the config: %s", warning)
            logger.info("the new config of %s is in effect", self._source.describe())
