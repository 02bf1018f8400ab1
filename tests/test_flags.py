"""The flags by which facebook/mcrouter's users know the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcrouter.cli.main import make_parser, parsed_settings
from mcrouter.cli.plain_flags import plain_flags
from mcrouter.settings import SETTINGS, Address, SettingsError

FLAGS = [
    (["-p", "5000"], "listen", (Address("tcp://:5000", "tcp", port=5000),)),
    (["--port", "5000"], "listen", (Address("tcp://:5000", "tcp", port=5000),)),
    (["-p", "1", "--listen", "tcp://a:2"], "listen", (Address("tcp://:1", "tcp", port=1), Address("tcp://a:2", "tcp", "a", 2))),
    (["--listen-sock-fd", "7"], "listen", (Address("fd://7", "fd", fd=7),)),
    (["--config", "file:/etc/m.json"], "router_config", "/etc/m.json"),
    (["--config", "m.json"], "router_config", "m.json"),
    (["--config-str", "{}"], "config_str", "{}"),
    (["--server-timeout", "50"], "timeout_ms", 50),
    (["--num-proxies", "3"], "server_event_loops", 3),
    (["-R", "/a/b/"], "route_prefix", "/a/b/"),
    (["--config-params", "a:b,c:d:e"], "config_params", {"a": "b", "c": "d:e"}),
    (["-a", "/var/spool/x"], "async_dir", "/var/spool/x"),
    (["--asynclog-disable"], "asynclog_disable", True),
    (["--reconfiguration-delay-ms", "50"], "reconfiguration_delay_ms", 50),
    (["--send-invalid-route-to-default"], "send_invalid_route_to_default", True),
    (["--enable-flush-cmd"], "enable_flush_cmd", True),
    (["--allow-only-gets"], "allow_only_gets", True),
    (["--error-style", "mcrouter"], "error_style", "mcrouter"),
    (["--probe-timeout-initial", "100"], "probe_timeout_initial", 100),
    (["--probe-timeout-max", "9"], "probe_timeout_max", 9),
    (["--timeouts-until-tko", "9"], "timeouts_until_tko", 9),
    (["-r", "77"], "timeout_ms", 77),
    (["-t", "77s"], "dns_cache_ttl", 77.0),
]


@pytest.mark.parametrize(("words", "name", "value"), FLAGS)
def test_flags(words, name, value):
    assert getattr(parsed_settings(make_parser().parse_args(words)), name) == value


WRONG = [
    (["-R", "x"], "invalid value 'x' for --route-prefix: expected a routing prefix such as /region/cluster/"),
    (["--config-params", "a"], "invalid value 'a' for --config-params: expected name:value pairs with commas between them, such as a:b,c:d"),
    (["-p", "x"], "invalid value 'tcp://:x' for --listen: expected tcp://HOST:PORT (port 0 to 65535), tcp://[::1]:8080, unix:///path?mode=660 or fd://N"),
    (["--error-style", "x"], "invalid value 'x' for --error-style: expected one of memcached, mcrouter"),
    (["--router-name", "a b"], "invalid value 'a b' for --router-name: expected a name of letters, digits, '.', '_' and '-'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_values(words, message):
    with pytest.raises(SettingsError) as caught:
        parsed_settings(make_parser().parse_args(words))
    assert str(caught.value) == message


WORDS = sorted({flag for one in SETTINGS for flag in (one.short, one.flag, *(f for a in one.aliases for f in a.flags)) if flag})
VALUES = ["", "-", "--", "-1", "1", "a b", "-a b", "on", "off", "file:x", "x=y", "--timeout-ms", "-f", "-fx", "--time", "--help", "-h", "--demo", "--validate-config"]
ANY_WORDS = st.lists(
    st.sampled_from(WORDS) | st.sampled_from(VALUES) | st.builds("{}={}".format, st.sampled_from(WORDS), st.sampled_from(VALUES)), max_size=6
)


@given(ANY_WORDS)
def test_plain_flags_mean_what_they_mean_to_argparse(words):
    plain = plain_flags(words)
    if plain is not None:
        assert {**vars(plain), "version": None} == vars(make_parser().parse_args(words))


@pytest.mark.parametrize("words", [words for words, *_ in FLAGS] + [["-f", "-"], [], ["--timeout-ms=5", "-L", "off", "-n", "2"]])
def test_what_services_are_started_with_is_plain(words):
    assert plain_flags(words) is not None
