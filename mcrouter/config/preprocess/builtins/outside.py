"""What looks outside of the config: at other files, at this machine."""

import ipaddress
import socket

from ...errors import ConfigError
from ...tree import Node
from ..call import Call, builtin


def _import(call: Call) -> Node:
    """Another file's value, expanded there: it sees no names but macros, constants and parameters.

    The default is for a file that cannot be read. An error in its macros is an error; the origin hides that, too.
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
    """Whether a socket can be bound to the address; false for what is no address.

    The origin looks through the addresses of the interfaces: of 127.0.0.0/8 it knows 127.0.0.1 alone.
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
