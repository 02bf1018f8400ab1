"""A smoke test that needs nothing but Python: the demo serves a value and its metrics, and ends on SIGTERM."""

import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEADLINE = 20.0  # seconds


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def connect(port: int) -> socket.socket:
    """A connection to the router, as soon as it listens."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), DEADLINE)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def main() -> None:
    """Runs it; ends with an error when anything is not as it should be."""
    port, metrics = free_port(), free_port()
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "mcrouter", "--demo", "2"]
    command += ["-l", f"tcp://127.0.0.1:{port}", "-L", f"127.0.0.1:{metrics}"]
    router = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        with connect(port) as sock, sock.makefile("rb") as answers:
            sock.sendall(b"set greeting 0 0 5\r\nhello\r\nget greeting\r\nget nothing\r\nquit\r\n")
            assert answers.read() == b"STORED\r\nVALUE greeting 0 5\r\nhello\r\nEND\r\nEND\r\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=DEADLINE) as page:
            assert b'mcrouter_requests_total{cmd="get"} 2\n' in page.read()
        router.send_signal(signal.SIGTERM)
        assert router.wait(DEADLINE) == 0, f"exit code {router.returncode}"
    finally:
        router.kill()
        log = router.communicate()[1]
        if any(" INFO " not in line for line in log.splitlines()):
            raise AssertionError(f"more on stderr than is good:\n{log}")
    print(f"smoke test passed on {platform.python_implementation()} {platform.python_version()}")


if __name__ == "__main__":
    main()
