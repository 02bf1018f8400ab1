"""A client's checks against every target, and what the router answers for: what fails there and passes without it."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Dict, List, NamedTuple, Optional

from .environments import Environment, NotInstallable
from .table import BINARY, Client
from .targets import Target

_LIMIT, _BINARY_LIMIT = 60.0, 15.0  # seconds for all checks of a client against one target
_UNANSWERED = "was not reached: the program ended, or took too long"


class Report(NamedTuple):
    """What one program printed: its client's version, and check -> what is wrong (None: passed)."""

    version: Optional[str]
    checks: Dict[str, Optional[str]]
    error: str


class Result(NamedTuple):
    """A client's line in the table.

    `missing` says why it was not run. `total` checks pass straight against memcached; `failed` are those of them that
    fail through a router, with the reason; `faults` are the others: what the client does not do without one either.
    """

    client: Client
    version: str = ""
    total: int = 0
    failed: Dict[str, str] = {}
    faults: Dict[str, str] = {}
    missing: str = ""

    @property
    def good(self) -> bool:
        """Whether it is as it should be: all that passes without a router passes with one, but for what is known."""
        known = self.client.protocol == BINARY or self.failed.keys() <= self.client.differs.keys()
        return bool(self.missing) or (self.total > 0 and known)

    @property
    def text(self) -> str:
        """In the words of the table."""
        if self.missing:
            return "not installable here"
        if not self.total:
            return "does not run"
        text = f"{self.total - len(self.failed)} of {self.total}"
        if self.failed and self.client.protocol == BINARY:
            return f"{text}: the binary protocol is not spoken"
        differs = self.client.differs
        reasons = [f"{name} ({differs[name]})" if name in differs else name for name in self.failed]
        return f"{text}: not {', '.join(reasons)}" if reasons else text


def run(client: Client, environment: Environment, targets: List[Target]) -> Result:
    """Prepares the client and runs it against all targets at once, the control first in the list."""
    try:
        environment.prepare()
    except NotInstallable as error:
        return Result(client, missing=str(error))
    with ThreadPoolExecutor(len(targets)) as pool:
        control, *routers = pool.map(lambda target: _report(client, environment, target), targets)
    return _judge(client, environment, control, dict(zip((target.name for target in targets[1:]), routers)))


def _judge(client: Client, environment: Environment, control: Report, routers: Dict[str, Report]) -> Result:
    faults = {name: what for name, what in control.checks.items() if what is not None}
    if not control.checks:
        faults["the program"] = control.error
    failed: Dict[str, str] = {}
    good = [name for name, what in control.checks.items() if what is None]
    for name in good:
        for router, report in routers.items():
            what = report.checks.get(name, f"{_UNANSWERED}; {report.error}")
            if what is not None:
                failed[name] = f"{failed[name]}; {router}: {what}" if name in failed else f"{router}: {what}"
    return Result(client, control.version or environment.packaged_version(), len(good), failed, faults)


def _report(client: Client, environment: Environment, target: Target) -> Report:
    words = environment.words(target.port, f"{environment.folder.name}-")  # all clients have the same servers
    limit = _BINARY_LIMIT if client.protocol == BINARY else _LIMIT
    try:
        done = subprocess.run(words, cwd=environment.cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=limit)
        printed, error = done.stdout, f"exit code {done.returncode}: {_last(done.stderr)}"
    except subprocess.TimeoutExpired as late:
        printed, error = late.stdout or b"", f"longer than {limit:g} s"
    except OSError as cannot:
        printed, error = b"", f"cannot run {words[0]}: {cannot.strerror}"
    version, checks = None, {}
    for line in printed.decode(errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue  # some libraries print for themselves, and a last line may be half
        version = row.get("version", version)
        if "check" in row:
            checks[row["check"]] = None if row["passed"] else str(row.get("what", "failed"))
    return Report(version, checks, error)


def _last(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it says nothing"
