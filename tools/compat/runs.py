"""A client's checks against every target, and what the router answers for: what fails there and passes without it."""

import json
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from benchmark.stage import BenchError, Stage

from .environments import Environment, NotInstallable
from .table import BINARY, Client
from .targets import Target

_LIMIT, _BINARY_LIMIT = 60.0, 15.0  # seconds for all checks of a client against one target


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


def run(client: Client, environment: Environment, targets: List[Target], stage: Stage) -> Result:
    """Prepares the client and runs it against all targets at once, the control first in the list."""
    try:
        environment.prepare()
        control, *routers = _reports(client, environment, targets, stage)
    except (NotInstallable, BenchError) as error:
        return Result(client, missing=str(error))
    faults = {name: what for name, what in control.checks.items() if what is not None}
    if not control.checks:
        faults["the program"] = control.error
    good = [name for name, what in control.checks.items() if what is None]
    failed = {}
    for name in good:
        found = [(target.name, _fault(report, name)) for target, report in zip(targets[1:], routers)]
        if any(what for _, what in found):
            failed[name] = "; ".join(f"{router}: {what}" for router, what in found if what)
    return Result(client, control.version or environment.packaged_version(), len(good), failed, faults)


def _reports(client: Client, environment: Environment, targets: List[Target], stage: Stage) -> List[Report]:
    prefix = environment.folder.name  # all clients have the same servers, and keys of their own
    names = [f"{prefix}-{target.port}" for target in targets]
    commands = [environment.words(target.port, f"{prefix}-") for target in targets]
    programs = [stage.start(name, words, cwd=environment.cwd) for name, words in zip(names, commands)]
    limit = _BINARY_LIMIT if client.protocol == BINARY else _LIMIT
    end = time.monotonic() + limit
    codes = [stage.finish(program, end - time.monotonic()) for program in programs]
    errors = [f"exit code {code}" if code is not None else f"longer than {limit:g} s" for code in codes]
    return [_read(stage.folder / f"{name}.log", error) for name, error in zip(names, errors)]


def _read(log: Path, error: str) -> Report:
    version, checks, noise = None, {}, ""
    for line in log.read_text(errors="replace").splitlines():
        try:
            row = json.loads(line)
            version = row.get("version", version)
            if "check" in row:
                checks[row["check"]] = None if row["passed"] else str(row.get("what") or "failed")
        except (AttributeError, ValueError):  # some libraries print for themselves, and a last line may be half
            noise = line.strip()[:200] or noise
    return Report(version, checks, f"{error}: {noise}" if noise else error)


def _fault(report: Report, name: str) -> Optional[str]:
    return report.checks.get(name, f"not reached; {report.error}")
