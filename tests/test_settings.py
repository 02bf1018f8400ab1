"""Every setting's values: what is read, from a flag or from Python, and what is said of the others."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.settings import SETTINGS, Address, Settings, SettingsError, duration
from mcrouter.system.memory_limit import default_bound

LISTEN = "tcp://HOST:PORT (port 0 to 65535), tcp://[::1]:8080, unix:///path?mode=660 or fd://N"
METRICS = "HOST:PORT, :PORT for every address, fd://N, or off"
DURATION = "a duration such as 200ms, 10s, 1m30s or 1h"
LONGER = "a duration longer than 0s, such as 200ms, 10s or 1m30s"
SECONDS = "a number of seconds above 0, or a duration such as 200ms"


def test_the_defaults():
    assert vars(Settings()) == {
        "router_config": "",
        "config_str": "",
        "disable_reload_configs": False,
        "reconfiguration_delay_ms": 1000,
        "config_params": {},
        "route_prefix": "/././",
        "send_invalid_route_to_default": False,
        "router_name": "mcrouter",
        "listen": (Address("tcp://:8080", "tcp", port=8080),),
        "metrics_listen_addr": Address(":9090", "tcp", port=9090),
        "metrics_namespace": "mcrouter",
        "max_connections": 0,
        "client_idle_timeout": 0.0,
        "error_style": "memcached",
        "allow_only_gets": False,
        "enable_flush_cmd": False,
        "server_event_loops": 1,
        "buffer_size": 1048576,
        "max_memory": default_bound(),
        "upstream_connections": 1,
        "timeout_ms": 1000,
        "timeouts_until_tko": 3,
        "healthcheck_interval": 10.0,
        "probe_timeout_initial": 0,
        "probe_timeout_max": 0,
        "dns_cache_ttl": 30.0,
        "async_dir": "",
        "asynclog_disable": False,
        "log_level": "info",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2), ("10s", 10.0), ("1m30s", 90.0), ("1h", 3600.0), ("1.5s", 1.5), (".5s", 0.5), ("1.s", 1.0),
        ("1h2m3s4ms", 3723.004), ("250us", 0.00025), ("250µs", 0.00025), ("250μs", 0.00025), ("5ns", 5e-9), ("1s1s", 2.0),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_go_reads_it(text, seconds):
    assert duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", " 10s", "10s ", "10s5", "-1s", "1d", "1e3s", "٣s", ".s", "10S", "inf"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=f"^{DURATION}$"):
        duration(text)


@pytest.mark.parametrize("text", ["0s", "0h0m", "1000000000s", "9" * 400 + "s"])
def test_a_duration_is_longer_than_nothing_and_shorter_than_ever(text):
    with pytest.raises(ValueError, match=f"^{LONGER}$"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://:8080", Address("tcp://:8080", "tcp", port=8080)),
        (":0", Address(":0", "tcp")),
        ("localhost:65535", Address("localhost:65535", "tcp", "localhost", 65535)),
        ("tcp://cache_1.example.:1", Address("tcp://cache_1.example.:1", "tcp", "cache_1.example.", 1)),
        ("tcp://[::1]:8080", Address("tcp://[::1]:8080", "tcp", "::1", 8080)),
        ("[fe80::1%eth0]:1", Address("[fe80::1%eth0]:1", "tcp", "fe80::1%eth0", 1)),
        ("unix:///run/a b", Address("unix:///run/a b", "unix", path="/run/a b")),
        ("unix:///s?mode=660", Address("unix:///s?mode=660", "unix", path="/s", mode=0o660)),
        ("fd://3", Address("fd://3", "fd", fd=3)),
    ],
)
def test_an_address_is_read(text, address):
    assert Settings(listen=text).listen == (address,)
    assert Settings(listen=[text, address]).listen == (address, address)


@pytest.mark.parametrize(
    "text",
    [
        "", "8080", "tcp://", "tcp://host", "tcp://host:", "tcp://:65536", "tcp://:-1", "tcp://:٣", "tcp://::1:80", "tcp://[::1]",
        "tcp://[host]:80", "tcp://[::1%]:80", "tcp://[::\u0661]:80", "tcp://a b:80", "tcp://a..b:80", "tcp://.:80", "tcp://h/:80",
        "tcp://" + "a" * 64 + ":80", "tcp://" + "a." * 127 + "a:80", "udp://:80", "unix://relative", "unix:///s?mode=", "unix:///s?mode=8", "unix:///s?mode=4755", "unix:///a\0b", "fd://", "fd://-1", "fd://x",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_here_and_not_by_the_resolver(text):
    with pytest.raises(SettingsError) as refused:
        Settings(listen=text)
    assert str(refused.value) == f"invalid value {text!r} for --listen: expected {LISTEN}"


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("router_config", Path("/etc/router.yaml"), "/etc/router.yaml"),
        ("timeout_ms", 500, 500),
        ("timeout_ms", "500", 500),
        ("healthcheck_interval", 0.25, 0.25),
        ("dns_cache_ttl", 5, 5.0),
        ("metrics_listen_addr", "off", None),
        ("metrics_listen_addr", None, None),
        ("metrics_listen_addr", "tcp://[::1]:9", Address("tcp://[::1]:9", "tcp", "::1", 9)),
    ],
)
def test_values_are_as_on_the_command_line_or_plain_python(name, value, read):
    assert getattr(Settings(**{name: value}), name) == read


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("router_config", None, "invalid value 'None' for --router-config: expected the name of a file, or - for standard input"),
        ("listen", [], f"invalid value [] for --listen: expected {LISTEN}"),
        ("listen", [8080], f"invalid value '8080' for --listen: expected {LISTEN}"),
        ("listen", None, f"invalid value 'None' for --listen: expected {LISTEN}"),
        ("metrics_namespace", "a-b", "invalid value 'a-b' for --metrics-namespace: expected a name of letters, digits and '_', such as mcrouter or gomcrouter"),
        ("metrics_listen_addr", 9090, f"invalid value '9090' for --metrics-listen-addr: expected {METRICS}"),
        ("metrics_listen_addr", "unix:///a", f"invalid value 'unix:///a' for --metrics-listen-addr: expected {METRICS}"),
        ("server_event_loops", 0, "invalid value '0' for --server-event-loops: expected a whole number of event loops from 1 to 1024"),
        ("buffer_size", 4095, "invalid value '4095' for --buffer-size: expected a whole number of bytes from 4096 to 1073741824"),
        ("upstream_connections", True, "invalid value 'True' for --upstream-connections: expected a whole number of connections from 1 to 1024"),
        ("timeout_ms", 1.5, "invalid value '1.5' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000"),
        ("timeout_ms", "٣", "invalid value '٣' for --timeout-ms: expected a whole number of milliseconds from 1 to 3600000"),
        ("healthcheck_interval", None, f"invalid value 'None' for --healthcheck-interval: expected {SECONDS}"),
        ("healthcheck_interval", float("nan"), f"invalid value 'nan' for --healthcheck-interval: expected {SECONDS}"),
        ("dns_cache_ttl", 0, f"invalid value '0' for --dns-cache-ttl: expected {SECONDS}"),
        ("dns_cache_ttl", "soon", f"invalid value 'soon' for --dns-cache-ttl: expected {DURATION}"),
        ("log_level", "INFO", "invalid value 'INFO' for --log-level: expected one of debug, info, warning, error"),
    ],
)
def test_a_bad_value_is_told_with_its_flag_and_what_would_be_right(name, value, message):
    with pytest.raises(SettingsError) as refused:
        Settings(**{name: value})
    assert str(refused.value) == message


def test_an_unknown_name_is_told_with_the_known_ones():
    with pytest.raises(SettingsError) as refused:
        Settings(timeout=5)
    assert str(refused.value) == f"unknown setting 'timeout': expected one of {', '.join(s.name for s in SETTINGS)}"


def test_settings_stay_as_they_are():
    with pytest.raises(AttributeError, match="make another one with its own timeout_ms"):
        Settings().timeout_ms = 5


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text()
    | st.lists(st.text() | st.integers(), max_size=3)
    | st.text("0123456789.nuµmsh-", max_size=12)
    | st.builds("{}{}{}".format, st.sampled_from(["tcp://", "unix://", "fd://", ""]),
                st.text(string.printable + "[]:%/", max_size=12), st.sampled_from([":80", "]:80", ":99999", ""]))
)  # fmt: skip


@given(setting=st.sampled_from(SETTINGS), value=ANYTHING)
def test_only_a_settings_error_may_escape(setting, value):
    try:
        Settings(**{setting.name: value})
    except SettingsError as error:
        assert re.match(f"invalid value .* for {setting.flag}: expected ", str(error)) and "\n" not in str(error)


@given(st.text(string.ascii_letters + string.digits + ".-_:%[]é\0 ", max_size=80), st.booleans())
def test_the_resolver_can_be_asked_for_every_host_that_is_let_through(host, bracketed):
    try:
        (address,) = Settings(listen=f"tcp://[{host}]:1" if bracketed else f"tcp://{host}:1").listen
    except SettingsError:
        return
    address.host.encode("idna" if not bracketed and address.host else "ascii")


@given(hours=st.integers(0, 9), minutes=st.integers(0, 59), seconds=st.integers(0, 59), ms=st.integers(1, 999))
def test_a_duration_is_the_sum_of_its_parts(hours, minutes, seconds, ms):
    assert duration(f"{hours}h{minutes}m{seconds}s{ms}ms") == pytest.approx(hours * 3600 + minutes * 60 + seconds + ms / 1000)
