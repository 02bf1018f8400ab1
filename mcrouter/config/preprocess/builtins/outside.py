"""Macros that look outside the config: at other files and at this machine."""

import ipaddress
import socket

from ...errors import ConfigError
from ...syntax.tree import Node
from ..call import Call, builtin


def _import(call: Call) -> Node:
    """Returns the value of another file, in which only macros, constants and parameters are defined.

    The default is for a file that cannot be read. An error in the file's macros stays an error; facebook/mcrouter hides
    that too.
    """
    path = call.text("path")
    try:
        file = call.expander.load(path, call.at)
    except ConfigError:
        if not call.has("default"):
            raise
        return call.value("default")
    return call.expander.force(file, path, call.at)


def _is_local_ip(call: Call) -> Node:
    """Returns whether a socket can be bound to the address; false if the text is not an address.

    facebook/mcrouter compares with the addresses of the interfaces: of 127.0.0.0/8 it knows only 127.0.0.1.
    """
    try:
        address = ipaddress.ip_address(call.text("ip"))
    except ValueError:
        return call.scalar(False)
    if address.is_unspecified or address.is_multicast:
        return call.scalar(False)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return call.scalar(False)
    return call.scalar(True)


MACROS = (
    builtin("import path [default]", _import),
    builtin("isLocalIp ip", _is_local_ip),
)
