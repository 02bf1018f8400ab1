#!/usr/bin/env python3
"""A smoke test that needs nothing but Python: the sample policy over two embedded hosts, one of which is stopped.

  tools/smoke.py           tries out the package
  tools/smoke.py FILE ...  also these files (tools/bundle.py makes them), without site-packages, in a folder that is not
                           writable
"""

import argparse
import contextlib
import json
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mcrouter.testing import DemoHost  # noqa: E402

DEADLINE = 90.0  # seconds
STRICT = ["-X", "dev", "-W", "error"]
PACKAGE = [sys.executable, *STRICT, "-m", "mcrouter"]
SAMPLE = json.loads((ROOT / "router.json").read_text())


def free_port() -> int:
    """Returns a port that no process listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def connect(port: int) -> socket.socket:
    """Returns a connection to the router, as soon as it listens."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), DEADLINE)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def talk(port: int, data: bytes) -> bytes:
    """Returns all that is answered."""
    with connect(port) as sock, sock.makefile("rb") as answers:
        sock.sendall(data + b"quit\r\n")
        return answers.read()


def try_out(command: List[str], folder: Path) -> None:
    """Runs the router by this command, in this folder; raises AssertionError when anything is not as it should be."""
    port, metrics = free_port(), free_port()
    with DemoHost() as one, DemoHost() as other:
        config = json.dumps({**SAMPLE, "orderedPool": [one.address, other.address]})
        flags = ["--config-str", config, "-l", f"tcp://127.0.0.1:{port}", "-L", f"127.0.0.1:{metrics}"]
        router = subprocess.Popen([*command, *flags], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True)  # fmt: skip
        try:
            answer = talk(port, b"set greeting 0 0 5\r\nhello\r\nget greeting\r\nget nothing\r\n")
            assert answer == b"STORED\r\nVALUE greeting 0 5\r\nhello\r\nEND\r\nEND\r\n", answer
            one.stop()
            answer = talk(port, b"get greeting\r\n")
            assert answer == b"VALUE greeting 0 5\r\nhello\r\nEND\r\n", answer
            with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=DEADLINE) as page:
                assert b'mcrouter_requests_total{cmd="get"} 3\n' in page.read()
            router.send_signal(signal.SIGTERM)
            assert router.wait(DEADLINE) == 0, f"exit code {router.returncode}"
        finally:
            router.kill()
            log = router.communicate()[1].splitlines()
            assert all(" INFO " in line or f" {one.address} is unhealthy" in line for line in log), log


def version(command: List[str], folder: Path) -> str:
    """Returns the line that --version prints."""
    done = subprocess.run([*command, "--version"], cwd=folder, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.strip()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[Path]:
    """Copies the file into a folder of its own that is not writable; nothing else may be there afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mcrouter-smoke-"))
    shutil.copy(path, folder)
    folder.chmod(0o555)
    try:
        yield folder
        assert [one.name for one in folder.iterdir()] == [path.name]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def bundled(text: str) -> Path:
    """Returns the path of a file to try out."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file: expected one that tools/bundle.py has made")
    return path


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Tries out the package and each of the files."""
    parser = argparse.ArgumentParser(prog="smoke.py", description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=bundled, metavar="FILE", help="a file that tools/bundle.py has made")
    paths: List[Path] = parser.parse_args(argv).paths
    try_out(PACKAGE, ROOT)
    said = version(PACKAGE, ROOT)
    for path in paths:
        with alone(path) as folder:
            command = [sys.executable, "-I", "-S", *STRICT, path.name]
            try_out(command, folder)
            assert version(command, folder) == said
    forms = ", ".join(["the package", *(path.name for path in paths)])
    print(f"smoke test passed on {platform.python_implementation()} {platform.python_version()}: {said}; {forms}")


if __name__ == "__main__":
    main()
