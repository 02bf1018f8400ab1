"""What a client needs to run: a virtual environment or node_modules in a folder of its own, or Debian's packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Sequence

from .table import APT, NPM, PIP, Client

PROGRAMS = Path(__file__).resolve().parent / "programs"
_LIMIT = 600.0  # seconds that an installation may take


class NotInstallable(Exception):
    """Why a client cannot be run here; a few words."""


class Environment:
    """A client's folder; `words` run its program once `prepare` has been through."""

    def __init__(self, client: Client, root: Path, install: bool) -> None:
        self._client = client
        self._may_install = install
        self.folder = root / "".join(c if c.isalnum() else "-" for c in client.name.lower())

    def prepare(self) -> None:
        """Installs and builds what is missing. Raises NotInstallable."""
        if self._client.installer == APT:
            self._prepare_debian()
        else:
            self._prepare_folder()
        if self._client.build:
            _run(self._filled(self._client.build))

    def words(self, port: int, prefix: str) -> List[str]:
        """The command against a server."""
        client = self._client
        return [*self._filled(client.words), str(port), prefix, *([client.variant] if client.variant else [])]

    @property
    def cwd(self) -> Path:
        """The folder to run it in."""
        return self.folder if self._client.installer == NPM else PROGRAMS

    def packaged_version(self) -> str:
        """That of Debian's package, for clients that do not know their own."""
        if self._client.installer != APT:
            return "?"
        return _debian_versions(self._client.packages)[self._client.packages[0]]

    @property
    def _python(self) -> str:
        return str(self.folder / "bin" / "python") if self._client.installer == PIP else sys.executable

    def _filled(self, words: Sequence[str]) -> List[str]:
        return [word.format(python=self._python, folder=self.folder, programs=PROGRAMS) for word in words]

    def _prepare_folder(self) -> None:
        """Fills it, unless it has been filled. Its file `installed` says with what, and that the folder is ours."""
        folder, client = str(self.folder), self._client
        mark, wanted = self.folder / "installed", " ".join((client.installer, *client.packages))
        if mark.exists() and mark.read_text() == wanted:
            return
        if self.folder.exists() and not mark.exists():
            raise NotInstallable(f"{folder} is somebody else's; --dir names another place")
        shutil.rmtree(folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        mark.touch()
        if client.installer == PIP:
            _run([sys.executable, "-m", "venv", folder])
            _run([self._python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *client.packages])
        elif client.installer == NPM:
            _run(["npm", "install", "--silent", "--no-audit", "--prefix", folder, *client.packages])
        mark.write_text(wanted)

    def _prepare_debian(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        have = _debian_versions(self._client.packages)
        missing = [name for name in self._client.packages if not have.get(name)]
        if missing and not self._may_install:
            raise NotInstallable(f"needs Debian's {', '.join(missing)}; --install installs that, as root")
        if missing:
            _run(["apt-get", "update", "-qq"])
            _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing])


def _debian_versions(packages: Sequence[str]) -> Dict[str, str]:
    words = ["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\t${Version}\n", *packages]
    try:
        lines = subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    except OSError:
        raise NotInstallable("needs Debian's packages") from None
    rows = (line.split("\t") for line in lines)
    return {name: version for name, status, version in rows if status == "installed"}


def _run(words: Sequence[str]) -> None:
    env, nothing = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, subprocess.DEVNULL
    try:
        done = subprocess.run(
            words, cwd=PROGRAMS, env=env, stdin=nothing, capture_output=True, text=True, timeout=_LIMIT)  # fmt: skip
    except OSError as error:
        raise NotInstallable(f"cannot run {words[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise NotInstallable(f"{words[0]} took longer than {_LIMIT:g} s") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstallable(f"{Path(words[0]).name} failed: {lines[-1][:200] if lines else done.returncode}")
