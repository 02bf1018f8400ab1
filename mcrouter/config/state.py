"""The state of the config in effect: since when it is, and what was wrong with newer ones."""

from typing import Callable, Dict

from ..system.clock import unix_time


class ConfigState:
    """The state of the config: since when the current one is in effect, and the errors of newer ones. `on_change` is
    called with it at the start and after each change."""

    def __init__(self, on_change: "Callable[[ConfigState], None]" = lambda state: None) -> None:
        self.failures = 0
        self.successful = True
        self.since = self.last_attempt = unix_time()  # Unix time
        self.error = ""  # the error of the newest config, if it was refused
        self._on_change = on_change
        on_change(self)

    def taken(self) -> None:
        """Records that a new config is in effect."""
        self.since = self.last_attempt = unix_time()
        self.successful, self.error = True, ""
        self._on_change(self)

    def refused(self, error: str) -> None:
        """Records that a new config was refused."""
        self.error = error
        self.last_attempt = unix_time()
        self.failures += 1
        self.successful = False
        self._on_change(self)

    def facts(self) -> Dict[str, float]:
        """Returns the state as metrics."""
        return {
            "config_failures_total": self.failures,
            "config_last_reload_successful": int(self.successful),
            "config_age_seconds": unix_time() - self.since,
        }
