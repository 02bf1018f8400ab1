"""The text of the demo: addresses, lines to paste into another terminal, and commands to type. At most 80 columns."""

import os
import shutil
import sys
from typing import List, Optional, Sequence, Tuple

from .. import __version__
from ..testing import DemoHost
from .console import COMMANDS

_NO_NC = "nc() { bash -c 'exec 3<>/dev/tcp/$0/$1; cat >&3; cat <&3' \"$@\"; }"
_TO_ASK = (
    r"set user:1 0 0 3\r\nAnn\r\nquit\r\n",
    r"get user:1\r\nquit\r\n",
    r"gets user:1 user:2 user:3\r\nquit\r\n",
    r"get __mcrouter__.route(get,user:1)\r\nquit\r\n",
)
_POLICY = "Writes go to all hosts; a get asks host 1, then host 2 if that misses or fails."
_ALONE = "All commands go to the one host; with --demo 2 there is one to fail over to."
_SHOWN_HOSTS = 2


def tour(addresses: Sequence[str], metrics: Optional[str], hosts: Sequence[DemoHost]) -> List[str]:
    """Returns the lines of the tour. `addresses`: those of the router; `metrics`: the address of its pages. Lines to
    paste are indented by four blanks."""
    lines = [f"mcrouter {__version__}, a demo: a router before {_number(hosts)}.", ""]
    lines += _map(addresses, hosts)
    lines += ["", _ALONE if len(hosts) == 1 else _POLICY]
    tcp = [address for address in addresses if address.startswith("tcp://")]
    if tcp or metrics:
        lines.append("Paste into another terminal (without nc, the first line makes one):")
        lines.append("")
    if tcp:
        host, port = reach(tcp[0])
        lines.append(f"    {_NO_NC}")
        lines += [f"    printf '{text}' | nc {host} {port}" for text in _TO_ASK]
    if metrics:
        host, port = reach(metrics)
        where = f"{f'[{host}]' if ':' in host else host}:{port}"
        lines.append(f"    curl -s {where}/metrics | grep '^[a-z].*requests_total'")
        lines.append(f"    {myself()} top {where}")
        lines += ["", f"Watch http://{where}/ in a browser."]
    lines += ["", "Make a host fail: type a command here, then get user:1 again, and see the log:"]
    return lines + _typed()


def _number(hosts: Sequence[DemoHost]) -> str:
    return "one embedded memcached host" if len(hosts) == 1 else f"{len(hosts)} embedded memcached hosts"


def _map(addresses: Sequence[str], hosts: Sequence[DemoHost]) -> List[str]:
    named = [f"host {number} on {host.address}" for number, host in enumerate(hosts, 1)]
    shown = named if len(hosts) <= _SHOWN_HOSTS else [named[0], "...", named[-1]]
    return [f"  the router on {', '.join(addresses)}", f"  {', '.join(shown)}"]


def _typed() -> List[str]:
    half = -(-len(COMMANDS) // 2)
    cells = [f"{command.usage:<11} {command.help}" for command in COMMANDS]
    rows = zip(cells[:half], [*cells[half:], ""])
    return [f"  {left:<42}{right}".rstrip() for left, right in rows]


def taken_over(hosts: Sequence[DemoHost]) -> List[str]:
    """Returns the lines that a successor process of a demo prints."""
    addresses = ", ".join(host.address for host in hosts)
    return [f"The demo continues as process {os.getpid()}, with new, empty hosts: {addresses}.",
            f"It reads no commands; end it with: kill {os.getpid()}"]  # fmt: skip


def reach(address: str) -> Tuple[str, str]:
    """Returns (host, port) to connect to the socket that listens on `address`; for "all addresses", localhost."""
    host, _, port = address.replace("tcp://", "").rpartition(":")
    host = host.strip("[]")
    return ("localhost" if host in ("", "::", "0.0.0.0", "127.0.0.1") else host), port


def myself() -> str:
    """Returns the command that starts this program, for pasting."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.parent:
        return f"python3 -m {spec.parent}"
    path = sys.argv[0]
    if shutil.which(os.path.basename(path)) == path:
        return os.path.basename(path)
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else f"python3 {path}"
