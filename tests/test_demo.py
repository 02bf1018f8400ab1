"""The demo as its user meets it: what the tour prints can be pasted, what is typed is done, and it ends well."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from mcrouter.cli.main import make_parser
from mcrouter.demo.console import COMMANDS, Console
from mcrouter.demo.tour import tour
from mcrouter.settings import Settings
from mcrouter.testing import hosts
from tests.support.processes import DEADLINE, ROOT, Successor, ask, until
from tests.support.wire import Wire

ANYWHERE = ("--listen=tcp://127.0.0.1:0", "--metrics-listen-addr=127.0.0.1:0")
# What the tour asks of curl, for machines without one.
CURL = f"curl() {{ {sys.executable} -c 'import sys, urllib.request as u; print(u.urlopen(\"http://\" + sys.argv[2]).read().decode())' \"$@\"; }}"


class Demo:
    """A `--demo`, run as a folder from elsewhere; `typed` is its standard input."""

    def __init__(self, folder, *flags, stdin=subprocess.PIPE):
        self.out, self.log = folder / "out", folder / "log"
        command = [sys.executable, str(ROOT / "mcrouter"), "--demo", *flags]
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=log, cwd="/")
        until(lambda: "quit  " in self.said() or self.process.poll() is not None, "the tour")

    def said(self):
        """What it has printed."""
        return self.out.read_text()

    def pasted(self):
        """The lines of the tour that are to be pasted."""
        return [line.strip() for line in self.said().splitlines() if line.startswith("    ")]

    def port(self):
        """Where the router listens."""
        return int(re.search(r"router on tcp://\S*:(\d+)", self.said())[1])

    def type(self, line, answer):
        """Types a line and waits for what is said to it."""
        before = len(self.said())
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        until(lambda: answer in self.said()[before:], f"{answer!r} to {line!r}: {self.said()[before:]}")

    def end(self):
        """Ends it in whatever state it is."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


@pytest.fixture
def demo(tmp_path):
    """Starts `--demo` with flags."""
    started = []

    def start(*flags, **more):
        started.append(Demo(tmp_path, *flags, **more))
        return started[-1]

    yield start
    for one in started:
        one.end()


def paste(*lines):
    """What a shell answers, as text with plain line ends."""
    script = "\n".join([CURL, *lines])
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=DEADLINE)
    assert done.stderr == "", done.stderr
    return done.stdout.replace("\r", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "", "[::1]"])
def test_every_line_of_the_tour_works_as_printed(demo, host):
    shown = demo(f"--listen=tcp://{host}:0", "-L", f"{host}:0")
    nc, *asking, metrics, top = shown.pasted()
    stored, got, both, route = (paste(nc, line) for line in asking)
    assert stored == "STORED\n"
    assert got == "VALUE user:1 0 3\nAnn\nEND\n"
    assert re.fullmatch(r"VALUE user:1 0 3 \d+\nAnn\nEND\n", both)
    addresses = re.findall(r"host \d on (\S+:\d+)", shown.said())
    assert len(addresses) == 2 and route.splitlines()[1:] == [*addresses, "END"]
    assert 'mcrouter_requests_total{cmd="gets"} 1\n' in paste(metrics)
    page = re.search(r"Watch (http://\S+)/ in a browser", shown.said())[1]
    with urllib.request.urlopen(f"{page}/", timeout=DEADLINE) as answer:
        assert answer.status == 200 and addresses[0] in answer.read().decode()
    assert addresses[0] in paste(f"{top.replace('python3', sys.executable, 1)} --once")


def test_it_prints_no_command_for_what_it_does_not_serve(demo, tmp_path):
    shown = demo("3", "-l", f"unix://{tmp_path}/socket", "-L", "off")
    assert shown.pasted() == [] and f"the router on unix://{tmp_path}/socket" in shown.said()


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_the_tour_fits_a_screen(count):
    with hosts(count) as started:
        text = tour(["tcp://:65535"], "[::]:65535", started)
    assert len(text) < 30
    assert [line for line in text if len(line) > 80 and " top " not in line] == []
    for command in COMMANDS:
        assert any(f"{command.usage} " in line for line in text)
    assert "--demo" in make_parser().format_help()


def test_a_host_that_stops_costs_no_value_and_comes_back(demo):
    shown = demo(*ANYWHERE, "-H", "200ms")
    get = b"get user:1\r\nquit\r\n", b"VALUE user:1 0 3\r\nAnn\r\nEND\r\n"
    first, _ = (int(port) for port in re.findall(r"host \d on \S+:(\d+)", shown.said()))
    assert ask(shown.port(), b"set user:1 0 0 3\r\nAnn\r\nquit\r\n") == b"STORED\r\n"
    shown.type("stop 1", "Host 1 is stopped: gets fail over to host 2")
    with pytest.raises(ConnectionRefusedError):
        Wire(first)
    assert ask(shown.port(), get[0]) == get[1]
    until(lambda: "is unhealthy" in shown.log.read_text())
    shown.type("start 1", "Host 1 is back, and empty")
    until(lambda: "is healthy" in shown.log.read_text())
    assert ask(shown.port(), get[0]) == get[1]
    shown.type("hosts", "requests\n   1  127.0.0.1:")
    shown.type("quit", "The demo ends.")
    assert shown.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_host_that_hangs_is_left_out_for_all_event_loops(demo, workers):
    shown = demo(*ANYWHERE, "-r", "2000", "-n", workers, "--timeouts-until-tko", "1")
    shown.type("hang 1", "Host 1 hangs: a request to it waits 2000 ms; after 1 timeouts it is unhealthy.")
    for _ in range(4):
        assert ask(shown.port(), b"get user:1\r\nquit\r\n") == b"END\r\n"
    until(lambda: "is unhealthy" in shown.log.read_text())
    shown.type("heal 1", "Host 1 behaves again.")
    shown.process.send_signal(signal.SIGINT)
    assert shown.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("flags", [(), ("-n", "2")])
@pytest.mark.parametrize("typed", [b"", b"hosts\nnonsense\n\xff\n", b"quit"])
def test_what_is_typed_may_come_from_a_pipe_or_from_nobody(tmp_path, flags, typed):
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "mcrouter", "--demo", "1", *ANYWHERE, *flags]
    with (tmp_path / "log").open("wb+") as log, subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
    ) as process:
        process.stdin.write(typed)
        process.stdin.close()
        shown = b""
        while b"The demo ends" not in shown and not (typed != b"quit" and b"quit  " in shown):
            shown += os.read(process.stdout.fileno(), 1 << 16)
        if typed != b"quit":
            process.terminate()
        assert process.wait(DEADLINE) == 0
        log.seek(0)
        assert [line for line in log.read().splitlines() if b" INFO " not in line] == []


def test_it_needs_neither_standard_input_nor_output():
    command = f"exec {sys.executable} -m mcrouter --demo -l tcp://127.0.0.1:0 -L off <&- >&-"
    with subprocess.Popen(["bash", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        port = int(re.search(r"listens on tcp://127.0.0.1:(\d+)", process.stderr.readline())[1])
        answer = ask(port, b"get a\r\nquit\r\n")
        process.terminate()
        assert (answer, process.wait(DEADLINE)) == (b"END\r\n", 0)


def test_a_restart_says_what_becomes_of_the_hosts(demo):
    shown = demo(*ANYWHERE)
    assert ask(shown.port(), b"set user:1 0 0 3\r\nAnn\r\nquit\r\n") == b"STORED\r\n"
    shown.process.send_signal(signal.SIGUSR2)
    until(lambda: "end it with: kill" in shown.said())
    successor = int(re.search(r"continues as process (\d+), with new, empty hosts: \S+", shown.said())[1])
    assert shown.process.wait(DEADLINE) == 0
    assert ask(shown.port(), b"get user:1\r\nquit\r\n") == b"END\r\n"
    process = Successor(successor)
    process.terminate()
    assert process.wait() == 0


@pytest.fixture
def console():
    """A console over two hosts, and what it was told to do at the end."""
    ended = []
    with hosts(2) as started:
        yield Console(started, Settings(), lambda: ended.append(True)), started, ended


# What is typed one after another, and how the answer begins.
TYPED = [
    ("", ""),
    ("frob 1", "'frob' is not a command; type one of stop, start, hang, slow, heal, hosts, help, quit"),
    ("stop", "stop: no host is named; type stop 1 to stop 2"),
    ("stop 3", "stop: there is no host '3'; type stop 1 to stop 2"),
    ("stop 1 2", "stop: '2' is one argument too many; type: stop N"),
    ("hosts 1", "hosts: '1' is one argument too many; type: hosts"),
    ("heal x", "heal: there is no host 'x'; type heal 1 to heal 2"),
    ("start 1", "Host 1 runs; heal 1 makes it behave, stop 1 ends it."),
    ("slow 1 0", "invalid value '0' for slow: expected a whole number of milliseconds from 1 to 60000"),
    ("slow 1", "Host 1 takes 300 ms to answer; gets that ask it are as slow, and the metrics show it."),
    ("SLOW 1 2000", "Host 1 takes 2000 ms to answer, longer than the router waits: as if it hung."),
    ("heal 1", "Host 1 behaves again. If it was unhealthy, a probe finds it within 10 s: see the log."),
    ("hang 2", "Host 2 hangs: a request to it waits 1000 ms; after 3 timeouts it is unhealthy."),
    ("stop 1", "Host 1 is stopped: no other host is up, so requests fail with an error line."),
    ("heal 2", "Host 2 behaves again."),
    ("stop 1", "Host 1 is stopped already; start 1 brings it back."),
    ("hang 1", "Host 1 is stopped, and cannot hang; start 1 brings it back."),
    ("slow 1", "Host 1 is stopped, and cannot slow; start 1 brings it back."),
    ("heal 1", "Host 1 is stopped; start 1 brings it back."),
    ("stop 2", "Host 2 is stopped: no other host is up"),
    ("start 2", "Host 2 is back, and empty; a probe finds it within 10 s: see the log."),
    ("help", "stop N        stop host N"),
    ("quit", "The demo ends."),
]


def test_what_can_be_typed_is_answered(console):
    run, _, ended = console
    for typed, said in TYPED:
        lines = run.run(typed)
        assert "".join(lines[:1]).startswith(said), (typed, lines)
        assert bool(said) == bool(lines)
        assert [line for line in lines if len(line) > 85] == []
    assert ended == [True]


def test_the_table_of_hosts(console):
    run, started, _ = console
    ask(started[0].port, b"set a 0 0 1\r\n1\r\nget a b\r\ndelete c\r\nquit\r\n")
    for line in ("hang 1", "slow 2 50"):
        run.run(line)
    first, second = (f"{host.address:<21}" for host in started)
    assert run.run("hosts") == [
        "host  address                state           items   requests",
        f"   1  {first}  hangs               1          4",
        f"   2  {second}  slow, 50 ms         0          0",
    ]
    run.run("stop 1")
    assert run.run("hosts")[1] == f"   1  {first}  stopped             -          -"


def test_a_terminal_of_which_the_demo_is_in_the_background_does_not_stop_it(tmp_path):
    """Who reads from a terminal in the background is stopped by SIGTTIN; the demo goes on, and hears when it is its turn."""
    import pty

    leader, follower = pty.openpty()
    code = (
        "import os, fcntl, subprocess, sys, termios\n"
        "os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "demo = subprocess.Popen([sys.executable, '-m', 'mcrouter', '--demo', '1', *sys.argv[1:]], preexec_fn=os.setpgrp)\n"
        "sys.exit(demo.wait())\n"
    )
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, *ANYWHERE], cwd=ROOT, stdin=follower, stdout=out, stderr=out)
    os.close(follower)
    try:
        os.write(leader, b"hosts\n")
        until(lambda: "quit  " in (tmp_path / "out").read_text())
        port = int(re.search(r"router on tcp://\S*:(\d+)", (tmp_path / "out").read_text())[1])
        for _ in range(3):
            assert ask(port, b"get a\r\nquit\r\n") == b"END\r\n"
        demo = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        os.kill(demo, signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)


