"""Notifies a service manager (sd_notify(3)) that the router serves, and which process is the main one."""

import os
import socket

_VARIABLE = "NOTIFY_SOCKET"


def notify(*words: str) -> None:
    """Sends these words (`READY=1`, `MAINPID=7`) to the service manager; does nothing if there is none."""
    address = os.environ.get(_VARIABLE, "")
    if address[:1] not in ("/", "@"):
        return
    if address.startswith("@"):  # an abstract socket (unix(7))
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(words).encode(), address)
    except OSError:
        pass  # the service manager has gone, which must not stop the router
