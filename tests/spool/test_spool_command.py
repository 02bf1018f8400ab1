"""`mcrouter replay` as an operator runs it, with real hosts."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from mcrouter.cli.main import main
from mcrouter.spool.replay import only_replay
from mcrouter.spool.writer import Spool
from mcrouter.testing import DemoHost
from tests.spool.support import HOUR, OPENED, leave, line
from tests.support.processes import DEADLINE, ROOT, Memcached, free_port, until


@pytest.fixture
def spool(tmp_path):
    made = Spool(str(tmp_path), "east")
    yield made
    made.close()


def store(host, *keys):
    host.ask(b"".join(b"set %b 0 0 1\r\nx\r\n" % key for key in keys))


def files(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def test_one_host_is_down_and_the_others_get_theirs(tmp_path, spool, memcacheds, capsys):
    up, other = memcacheds(2)
    down = Memcached()
    keys = [b"k%d" % n for n in range(5)]
    for host in (up, other, down):
        if host is not down:
            store(host, *keys, b"kept")
        assert all(spool.add("127.0.0.1", host.port, key, "A") for key in keys)
    ports = sorted([up.port, other.port, down.port])
    assert main(["replay", str(tmp_path)]) == 1
    assert capsys.readouterr() == (
        "".join(f"127.0.0.1:{port}: 0 delivered, 5 stay: Connection refused\n" if port == down.port
                else f"127.0.0.1:{port}: 5 delivered, 0 stay\n" for port in ports), "")  # fmt: skip
    assert not any(host.has(key) for host in (up, other) for key in keys)
    assert up.has(b"kept") and other.has(b"kept")
    try:
        store(down.start(), *keys)
        assert main(["replay", str(tmp_path), "--once"]) == 0
        assert capsys.readouterr() == (f"127.0.0.1:{down.port}: 5 delivered, 0 stay\n", "")
        assert not any(down.has(key) for key in keys)
    finally:
        down.stop()
    assert files(tmp_path) == []
    assert main(["replay", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_host_that_answers_errors_keeps_its_entries(tmp_path, spool, capsys):
    with DemoHost() as host:
        assert spool.add("127.0.0.1", host.port, b"k")
        host.faults.garbage = b"SERVER_ERROR out of memory\r\n"
        assert main(["replay", str(tmp_path)]) == 1
        assert capsys.readouterr().out == f"127.0.0.1:{host.port}: 0 delivered, 1 stay: SERVER_ERROR out of memory\n"
        host.faults.clear()
        assert main(["replay", str(tmp_path)]) == 0
        host.faults.mute = True
        assert spool.add("127.0.0.1", host.port, b"k")
        assert main(["replay", str(tmp_path), "--timeout-ms", "50"]) == 1
        assert "0 delivered, 1 stay: it does not answer in time\n" in capsys.readouterr().out


def test_another_host_takes_over(tmp_path, spool, memcacheds):
    (host,) = memcacheds(1)
    store(host, b"k1", b"k2")
    assert spool.add("10.255.0.1", 11211, b"k1") and spool.add("/run/gone.sock", 0, b"k2")
    new = f"127.0.0.1:{host.port}"
    assert main(["replay", str(tmp_path), "--host", f"10.255.0.1:11211={new}", "--host", f"unix:///run/gone.sock={new}"]) == 0
    assert not host.has(b"k1") and not host.has(b"k2")


def test_a_dry_run_sends_and_changes_nothing(tmp_path, spool, memcacheds, capsys):
    (host,) = memcacheds(1)
    store(host, b"k")
    assert spool.add("127.0.0.1", host.port, b"k")
    (path,) = files(tmp_path)
    damaged = leave(tmp_path, b"garbage\n", line(b"k"))
    assert main(["replay", str(tmp_path), "--dry-run"]) == 1
    assert capsys.readouterr() == (
        f"10.0.0.1:11211: 1 to deliver\n127.0.0.1:{host.port}: 1 to deliver\n",
        f"mcrouter replay: {damaged}:1: this line is kept: it is not JSON, or is cut off; correct or remove it\n",
    )
    assert host.has(b"k") and sorted(files(tmp_path)) == sorted([path, damaged])


def test_what_facebooks_mcrouter_has_left_is_delivered(tmp_path, memcacheds):
    (host,) = memcacheds(1)
    store(host, b"first", b"second")
    first = b'["AS1.0",1289416829.836,"C",["127.0.0.1",%d,"delete first\\r\\n"]]\n' % host.port
    second = b'["AS2.0",1289416829.836,"C",{"f":"x","h":"[127.0.0.1]:%d","p":"A","k":"second"}]\n' % host.port
    leave(tmp_path, first, second, name="t7-0x7f0a", age=OPENED - 1289416829)
    assert main(["replay", str(tmp_path)]) == 0
    assert not host.has(b"first") and not host.has(b"second")


def test_it_follows_until_it_is_told_to_end(tmp_path, spool, memcacheds, monkeypatch, capsys):
    monkeypatch.setattr("mcrouter.cli.replay._SOON", 0.01)
    monkeypatch.setattr("mcrouter.cli.replay._LATE", 0.01)
    (host,) = memcacheds(1)
    away = free_port()
    store(host, b"k1", b"k2")
    assert spool.add("127.0.0.1", host.port, b"k1") and spool.add("127.0.0.1", away, b"k3")

    def later():
        try:
            until(lambda: not host.has(b"k1"), "the first")
            assert spool.add("127.0.0.1", host.port, b"k2")
            until(lambda: not host.has(b"k2"), "the second")
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=later)
    thread.start()
    assert main(["replay", str(tmp_path), "--follow"]) == 1
    thread.join(DEADLINE)
    assert signal.getsignal(signal.SIGTERM) == before
    out = capsys.readouterr().out.splitlines()
    assert not host.has(b"k1") and not host.has(b"k2")
    assert f"127.0.0.1:{host.port}: 1 delivered, 0 stay" in out  # the end may come before the second is told
    assert out.count(f"127.0.0.1:{away}: 0 delivered, 1 stay: Connection refused") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_well(tmp_path, number):
    command = [sys.executable, "-m", "mcrouter", "replay", str(tmp_path), "--follow"]
    leave(tmp_path)  # goes with the first pass: from then on it heeds signals
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        until(lambda: not (tmp_path / HOUR).exists() or not files(tmp_path), "the first pass")
        process.send_signal(number)
        assert (process.communicate(timeout=DEADLINE)[1], process.returncode) == (b"", 0)
    finally:
        process.kill()
        process.wait()


def test_one_replay_at_a_time(tmp_path, capsys):
    with only_replay(str(tmp_path)):
        assert main(["replay", str(tmp_path)]) == 1
    message = f"mcrouter replay: another replay is running on {tmp_path}; wait for it, or end it first\n"
    assert capsys.readouterr() == ("", message)


USAGE = [
    ([], "the following arguments are required: DIR; --help lists the flags"),
    (["/nowhere"], "/nowhere is not a directory; name the router's --async-dir"),
    ([".", "--once", "--follow"], "argument --follow: not allowed with argument --once; --help lists the flags"),
    ([".", "--timeout-ms", "0"], "invalid value '0' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000; --help lists the flags"),
    ([".", "--timeout-ms", "1s"], "invalid value '1s' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000; --help lists the flags"),
    ([".", "--host", "a:1"], "invalid value 'a:1' for --host: expected HOST:PORT=NEWHOST:NEWPORT; --help lists the flags"),
    ([".", "--host", "a:1=b:x"], "invalid value 'a:1=b:x' for --host: expected HOST:PORT=NEWHOST:NEWPORT; the port 'x' is not a number; write host:port; --help lists the flags"),
]


@pytest.mark.parametrize(("argv", "message"), USAGE)
def test_a_bad_flag_is_one_line(argv, message, capsys):
    assert main(["replay", *argv]) == 2
    assert capsys.readouterr() == ("", f"mcrouter replay: {message}\n")


def test_help(capsys):
    assert main(["replay", "--help"]) == 0
    assert "--follow" in capsys.readouterr().out
