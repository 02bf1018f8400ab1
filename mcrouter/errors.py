"""The errors of a router, besides ConfigError and SettingsError."""


class RouterError(Exception):
    """Raised if the router cannot run, or does not run; the message says why, in one line."""


class RequestError(RouterError):
    """Raised if the answer to a request is an error line; the message is that line: `SERVER_ERROR ...`,
    `CLIENT_ERROR ...` or `ERROR`."""
