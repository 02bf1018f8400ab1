"""The command line as its users meet it: exit codes, one line for each mistake, signals, what it listens on."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from mcrouter.cli.main import make_parser
from mcrouter.settings import SETTINGS, UNSET
from tests.support.processes import DEADLINE, ROOT, ask, config, free_port, until


def run(*flags, cwd=None, **more):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "mcrouter", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, cwd=cwd, env=env, **more)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "router.yaml"
    path.write_text(config(["127.0.0.1:1"], "DefaultRoute"))
    return path


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--nonsense"], "mcrouter: unrecognized arguments: --nonsense; --help lists the flags\n"),
        (["--time", "5"], "mcrouter: unrecognized arguments: --time 5; --help lists the flags\n"),
        (["-r"], "mcrouter: argument -r/--timeout-ms: expected one argument; --help lists the flags\n"),
        (["-r", "0"], "mcrouter: invalid value '0' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000\n"),
        (["--timeout-ms=x"], "mcrouter: invalid value 'x' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000\n"),
        (["-n", "0"], "mcrouter: invalid value '0' for --server-event-loops: expected a whole number of event loops from 1 to 1024\n"),
        (["-H", "10"], "mcrouter: invalid value '10' for --healthcheck-interval: expected a duration such as 200ms, 10s, 1m30s or 1h\n"),
        (["-t", "0s"], "mcrouter: invalid value '0s' for --dns-cache-ttl: expected a duration longer than 0s, such as 200ms, 10s or 1m30s\n"),
        (["-l", "udp://x"], "mcrouter: invalid value 'udp://x' for --listen: expected tcp://HOST:PORT (port 0 to 65535), tcp://[::1]:8080, unix:///path?mode=660 or fd://N\n"),
        (["-L", "here"], "mcrouter: invalid value 'here' for --metrics-listen-addr: expected HOST:PORT, :PORT for every address, fd://N, or off\n"),
        (["--log-level", "loud"], "mcrouter: invalid value 'loud' for --log-level: expected one of debug, info, warning, error\n"),
        (["--demo", "x"], "mcrouter: invalid value 'x' for --demo: expected a whole number of hosts from 1 to 64\n"),
        (["--demo=²"], "mcrouter: invalid value '²' for --demo: expected a whole number of hosts from 1 to 64\n"),
        (["--demo", "--validate-config"], "mcrouter: --demo has its own config; leave out --router-config and --validate-config\n"),
        (["--demo", "-f", "x"], "mcrouter: --demo has its own config; leave out --router-config and --validate-config\n"),
        (["-f", "missing.yaml"], "mcrouter: missing.yaml: cannot read the config (No such file or directory); name a file that can be read, or - for standard input\n"),
        ([], "mcrouter: no router.yaml or router.json here; name a config with -f FILE, or try --demo\n"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_exit_code_2(flags, message, tmp_path):
    done = run(*flags, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_validate_config_says_what_goes_where(file, tmp_path):
    done = run("--validate-config", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("router.yaml: 1 hosts: 127.0.0.1:1\nDefaultRoute: get, gets, gat, gats, set,")
    done = run("--validate-config", "-f", "-", input=file.read_text().replace("Default", "Defualt"))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"mcrouter: <stdin>:4:9: .*DefaultRoute.*\n", done.stderr)


def test_a_taken_port_is_named_with_exit_code_1(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("-f", str(file), "-l", f"tcp://127.0.0.1:{port}", "-L", "off")
        why = "Address already in use; --listen names others"
        assert (done.returncode, done.stderr) == (1, f"mcrouter: cannot listen on tcp://127.0.0.1:{port}: {why}\n")
        done = run("-f", str(file), "-l", f"tcp://127.0.0.1:{free_port()}", "-L", f"127.0.0.1:{port}")
        why = "Address already in use; give --metrics-listen-addr another address, or off"
        assert (done.returncode, done.stderr) == (1, f"mcrouter: cannot listen on 127.0.0.1:{port} for metrics: {why}\n")


def test_help_shows_every_setting_with_its_default():
    text = " ".join(make_parser().format_help().split())
    for setting in SETTINGS:
        assert setting.flag in text
        assert f"{setting.help} (default {setting.default or UNSET.get(setting.name, 'none')})" in text
    assert run("--version").stdout.startswith("mcrouter ")


@pytest.mark.parametrize("sent", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGINT]])
def test_a_signal_lets_it_answer_what_is_in_flight_and_end_with_0(memcacheds, router, sent):
    (host,) = memcacheds(1)
    served = router(config([f"127.0.0.1:{host.port}"]), "-r", "10000")
    with socket.create_connection(("127.0.0.1", served.port), DEADLINE) as client, client.makefile("rb") as answers:
        _ask_a_frozen_host(host, served, client)
        for number in sent:
            served.process.send_signal(number)
        until(lambda: not served.serves_new(), "its listener to close")
        host.thaw()
        assert answers.readline() == b"END\r\n"
    assert served.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_that_comes_as_soon_as_it_listens_ends_it_with_0(file, workers):
    for _ in range(5):
        port = free_port()
        command = [sys.executable, "-m", "mcrouter", "-f", str(file), "-L", "off", "-n", workers, "-l", f"tcp://127.0.0.1:{port}"]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process, socket.socket() as sock:
            until(lambda: sock.connect_ex(("127.0.0.1", port)) == 0)  # noqa: B023 - called here and now
            process.terminate()
            assert process.wait(DEADLINE) == 0


def test_a_second_interrupt_ends_it_at_once_with_1(memcacheds, router):
    (host,) = memcacheds(1)
    served = router(config([f"127.0.0.1:{host.port}"]), "-r", "10000")
    with socket.create_connection(("127.0.0.1", served.port), DEADLINE) as client:
        _ask_a_frozen_host(host, served, client)
        served.process.send_signal(signal.SIGINT)
        until(lambda: not served.serves_new(), "its listener to close")
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(DEADLINE) == 1


def _ask_a_frozen_host(host, served, client):
    """Returns when the request is known to be in flight: the router has answered a later client since."""
    served.ask(b"get warm\r\n")
    host.freeze()
    client.sendall(b"get key\r\n")
    served.ask(b"version\r\n")


def test_it_logs_a_line_an_event_to_stderr(router):
    served = router(config(["127.0.0.1:1"]))
    line = until(lambda: [line for line in served.log().splitlines() if "listens on" in line])[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} INFO mcrouter \S+ listens on .*, metrics on \S+", line)


def test_it_listens_on_unix_sockets_and_inherited_ones_and_on_several(file, tmp_path):
    path, port = tmp_path / "socket", free_port()
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        fd = inherited.fileno()
        command = [sys.executable, "-m", "mcrouter", "-f", str(file), "-L", "off"]
        command += ["-l", f"unix://{path}", "-l", f"fd://{fd}", "-l", f"tcp://[::1]:{port}"]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[fd], stderr=subprocess.DEVNULL)
        try:
            until(path.exists)
            assert b"SERVER_ERROR" in ask(inherited.getsockname()[1], b"get k\r\nquit\r\n")
            with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answers:
                sock.connect(str(path))
                sock.sendall(b"nonsense\r\nquit\r\n")
                assert answers.read() == b"ERROR\r\n"
            with socket.create_connection(("::1", port), DEADLINE) as sock, sock.makefile("rb") as answers:
                sock.sendall(b"quit\r\n")
                assert answers.read() == b""
            process.terminate()
            assert process.wait(DEADLINE) == 0
        finally:
            process.kill()
            process.wait()
