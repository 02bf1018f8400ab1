"""Where a router's config comes from. A file that is watched is one kind of source; discovery can be another.

A source reads a config (`read`), tells whether there may be another one (`changed`), and has a name for the log
(`describe`). What applies new configs to a router (config_watcher.py) knows nothing else of it.
"""

import os
from typing import Optional, Sequence, Tuple

from ...config import Config, load_config, load_file
from ...settings import Settings, SettingsError
from .reading import VOCABULARY, reading_options

_FILES = ("router.yaml", "router.json")
_STDIN = "-"

_Stat = Optional[Tuple[Tuple[int, int, int], ...]]


class ConfigSource:
    """Base class of all sources: a source whose config stays the same."""

    can_change = False
    """Whether there may be another config later."""

    def describe(self) -> str:
        """Returns the name of the source, for the log."""
        raise NotImplementedError

    def read(self) -> Config:
        """Returns the config; raises ConfigError or another ValueError that says what is wrong with it."""
        raise NotImplementedError

    def changed(self) -> bool:
        """Returns whether `read` may return another config than before. Is called again and again."""
        return False


class TextSource(ConfigSource):
    """The text of --config-str."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> str:
        """Returns the name of the flag."""
        return "--config-str"

    def read(self) -> Config:
        """Returns the config."""
        settings = self._settings
        return load_config(settings.config_str, self.describe(), VOCABULARY, reading_options(settings))


class StdinSource(ConfigSource):
    """Standard input, which can be read only once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self) -> str:
        """Returns its name in messages."""
        return "<stdin>"

    def read(self) -> Config:
        """Returns the config."""
        return load_file(_STDIN, VOCABULARY, reading_options(self._settings))


class FileSource(ConfigSource):
    """A file, and the files that it imports.

    It has changed when two checks in a row have seen the same state, and another one than at the last `read`; so its
    writer has finished.
    """

    can_change = True

    def __init__(self, path: str, settings: Settings) -> None:
        self._path, self._settings = path, settings
        self._imports: Sequence[str] = ()
        self._read: _Stat = None  # the state at the last `read`
        self._seen: _Stat = None  # the state at the last `read` or `changed`

    def describe(self) -> str:
        """Returns the path."""
        return self._path

    def read(self) -> Config:
        """Returns the config. The files' state is noted before they are read, so that no later change is missed."""
        self._read = self._seen = self._stat()
        config = load_file(self._path, VOCABULARY, reading_options(self._settings))
        if config.imports != self._imports:
            self._imports = config.imports
            imports = _stat(self._imports)
            self._read = self._seen = None if self._read is None or imports is None else (self._read[0], *imports)
        return config

    def changed(self) -> bool:
        """Returns whether the files have changed, and are complete."""
        before, self._seen = self._seen, self._stat()
        return self._seen is not None and self._seen == before and self._seen != self._read

    def _stat(self) -> _Stat:
        return _stat([self._path, *self._imports])


def _stat(paths: Sequence[str]) -> _Stat:
    try:
        found = [os.stat(path) for path in paths]
    except OSError:
        return None  # a file is being replaced, or was removed: neither is a new config
    return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)


def config_source(settings: Settings) -> ConfigSource:
    """Returns the source that the settings name, else the config file in this directory; raises SettingsError."""
    path = settings.router_config
    if not path and not settings.config_str:
        path = next(filter(os.path.exists, _FILES), "")
    if path:
        return StdinSource(settings) if path == _STDIN else FileSource(path, settings)
    if settings.config_str:
        return TextSource(settings)
    raise SettingsError("no router.yaml or router.json here; name a config with -f FILE, or try --demo")
