"""What a router raises beside ConfigError and SettingsError."""


class RouterError(Exception):
    """The router cannot run, or does not; the message says why, in one line."""


class RequestError(RouterError):
    """A request got an error line, which is the message: `SERVER_ERROR ...`, `CLIENT_ERROR ...` or `ERROR`."""
