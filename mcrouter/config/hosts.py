"""Reads hosts: `name`, `name:port`, `[v6]`, `[v6]:port` or `unix:///path`, and the forms of facebook/mcrouter."""

import re
from typing import TYPE_CHECKING

from ..system.deferred import standard
from .errors import show
from .model import DEFAULT_PORT, HostAddress

if TYPE_CHECKING:
    import ipaddress
else:
    ipaddress = standard("ipaddress")

MAX_PATH = 107  # bytes: what fits into a sockaddr_un of Linux with the NUL after it

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
_OCTET = re.compile(r"(?:0|[1-9][0-9]{0,2})\Z")


class BadHostError(ValueError):
    """Raised for a text that is not a host; the message says what is wrong, and what would be right."""


def parse_host(text: str) -> HostAddress:
    """Returns the address of the host `text`; raises BadHostError if it is not one."""
    scheme = _SCHEME.match(text)
    if scheme:
        if scheme.group(1) != "unix":
            raise BadHostError(f"unknown scheme {show(scheme.group())}; write host:port or unix:///path")
        return HostAddress(text, path=_path(text[scheme.end() :]))
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise BadHostError(f"bad host {show(text)}; write an IPv6 address like [::1]:{DEFAULT_PORT}")
        _check_v6(host)
        return HostAddress(text, host, _port(rest[1:]) if rest else DEFAULT_PORT)
    if text.count(":") > 1:
        raise BadHostError(f"an IPv6 address without brackets, or two ports; write [::1]:{DEFAULT_PORT} or host:port")
    host, colon, port = text.partition(":")
    _check_name(host)
    return HostAddress(text, host, _port(port) if colon else DEFAULT_PORT)


_OPTIONS = ("ascii", "plain", "notcompressed")  # the only protocol, security and compression that are supported


def parse_server(text: str) -> HostAddress:
    """Returns the address of a server of a facebook/mcrouter pool: `host[:port[:ascii[:plain[:notcompressed]]]]`,
    `[v6]...` or `unix:/path`. Raises BadHostError if it is not one, or if it needs an unsupported protocol."""
    if text.startswith("unix:"):
        path, *options = text[len("unix:") :].split(":")
        path = path[2:] if path.startswith("//") else path
        address = f"unix://{path}"
    else:
        behind = text.rfind("]") + 1
        host, *port = text[behind:].split(":")
        options, port = port[1:], port[:1]
        address = ":".join([text[:behind] + host, *port])
        if (options and not port[0]) or not all(map(str.isalpha, options)):
            message = f"bad server {show(text)}; write host:port, and an IPv6 address like [::1]:{DEFAULT_PORT}"
            raise BadHostError(message)
    if len(options) > len(_OPTIONS):
        raise BadHostError(f"bad server {show(text)}; write nothing after {':'.join(_OPTIONS)}")
    for option, known in zip(options, _OPTIONS):
        if option.lower() != known:
            raise BadHostError(f"{show(option)} is not supported; write {known} in its place, or host:port alone")
    return parse_host(address)


def identity(address: HostAddress) -> tuple[str, int, str]:
    """Returns a value that is equal for two spellings of the same address."""
    host = address.host
    if ":" in host:
        base, percent, zone = host.partition("%")
        return str(ipaddress.IPv6Address(base)) + percent + zone, address.port, ""
    return host.lower().rstrip("."), address.port, address.path


def _path(path: str) -> str:
    if not path.startswith("/") or path == "/":
        raise BadHostError("a unix socket without an absolute path; write unix:///path")
    if not path.isprintable():
        raise BadHostError("a character that cannot be shown in the socket's path; remove it")
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        raise BadHostError(f"a socket path of more than {MAX_PATH} bytes; use a shorter one")
    return path


def _port(text: str) -> int:
    if not text:
        raise BadHostError(f"no port after the ':'; write host:port, or the host alone for port {DEFAULT_PORT}")
    if not re.match(r"[0-9]+\Z", text):
        raise BadHostError(f"the port {show(text)} is not a number; write host:port")
    digits = text.lstrip("0")
    if not digits or len(digits) > 5 or int(digits) > 65535:
        raise BadHostError(f"the port {show(text)[1:-1]} is out of range; write one from 1 to 65535")
    return int(digits)


def _check_v6(host: str) -> None:
    base, percent, zone = host.partition("%")
    try:
        ipaddress.IPv6Address(base)
    except ValueError:
        base = ""
    if not base or (percent and not re.match(r"[A-Za-z0-9_.-]+\Z", zone)):
        raise BadHostError(f"{show(host)} is not an IPv6 address; write one like [::1]:{DEFAULT_PORT}")


def _check_name(host: str) -> None:
    if not host:
        raise BadHostError("an empty host; write host:port")
    labels = (host[:-1] if host.endswith(".") else host).split(".")
    if all(label.isdigit() for label in labels):
        # 127.1 and 2130706433 are addresses for some resolvers only.
        if len(labels) != 4 or not all(_OCTET.match(label) and int(label) < 256 for label in labels):
            raise BadHostError(f"{show(host)} is not an IPv4 address; write four numbers from 0 to 255")
    elif len(host) > 254 or not all(_LABEL.match(label) for label in labels):
        raise BadHostError(f"bad host name {show(host)}; a name has letters, digits, '-', '_' and single dots")
