"""Tree -> model: hosts in every spelling, routes as names and as maps, policies inside policies, files and stdin."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from mcrouter.config import BadHostError, HostAddress, Vocabulary, load_config, load_file, parse_host
from mcrouter.config.fields import Field

ROOT = Path(__file__).resolve().parents[2]

HOSTS = {
    "cache1": HostAddress("cache1", "cache1", 11211),
    "cache1:11212": HostAddress("cache1:11212", "cache1", 11212),
    "Cache_1-a.example.:1": HostAddress("Cache_1-a.example.:1", "Cache_1-a.example.", 1),
    "1.example:65535": HostAddress("1.example:65535", "1.example", 65535),
    "10.0.0.1:00080": HostAddress("10.0.0.1:00080", "10.0.0.1", 80),
    "255.255.255.255": HostAddress("255.255.255.255", "255.255.255.255", 11211),
    "[::1]": HostAddress("[::1]", "::1", 11211),
    "[2001:db8::1]:11212": HostAddress("[2001:db8::1]:11212", "2001:db8::1", 11212),
    "[::ffff:10.0.0.1]:1": HostAddress("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1),
    "[fe80::1%eth0]:1": HostAddress("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    "unix:///run/mc d.sock": HostAddress("unix:///run/mc d.sock", path="/run/mc d.sock"),
    "unix:///" + "x" * 106: HostAddress("unix:///" + "x" * 106, path="/" + "x" * 106),
}


@pytest.mark.parametrize("text", HOSTS)
def test_hosts(text, vocabulary):
    assert parse_host(text) == HOSTS[text]
    config = load_config(f'orderedPool: ["{text}"]\nroute: DefaultRoute\n', "f", vocabulary)
    assert config.hosts == (HOSTS[text],)


def test_a_bad_host_alone():
    with pytest.raises(BadHostError, match="an empty host; write host:port"):
        parse_host("")


def test_hosts_keep_their_order(vocabulary):
    config = load_config("orderedPool:\n- b\n- a:1\n- a:2\n- unix:///a\n- c\nroute: LocalRoute", "f", vocabulary)
    assert [host.text for host in config.hosts] == ["b", "a:1", "a:2", "unix:///a", "c"]


def policy(config, index=None):
    """The policy as a tree: hosts by name, handles as (type, fields that hold anything)."""
    spec = config.routes[config.route if index is None else index]
    if spec.type == "host":
        return spec.args["host"]

    def value(one):
        if isinstance(one, int) and not isinstance(one, bool):
            return policy(config, one)
        if isinstance(one, tuple):
            return [value(item) for item in one]
        return {name: value(item) for name, item in one.items()} if isinstance(one, dict) else one

    return spec.type, {name: value(one) for name, one in spec.args.items() if one}


def test_routes(vocabulary):
    text = (
        "route:\n"
        "  operationPolicies:\n"
        "    get: MissFailoverRoute\n"
        "    set: {type: AllFastestRoute}\n"
        "    delete:\n"
        "      type: OperationSelectorRoute\n"
        "      operationPolicies: {delete: LocalRoute}\n"
        "  type: OperationSelectorRoute\n"
        "orderedPool: [a]\n"
    )
    config = load_config(text, "f", vocabulary)
    assert config.hosts == (HostAddress("a", "a", 11211),)
    default = ("DefaultRoute", {"children": ["a"]})
    inner = {"default_policy": default, "operation_policies": {"delete": ("LocalRoute", {})}}
    policies = {
        "get": ("MissFailoverRoute", {"children": ["a"]}),
        "set": ("AllFastestRoute", {"children": ["a"]}),
        "delete": ("OperationSelectorRoute", inner),
    }
    expected = {"default_policy": default, "operation_policies": policies}
    assert policy(config) == ("OperationSelectorRoute", expected)
    places = {(spec.type, spec.line, spec.column) for spec in config.routes}
    assert {("MissFailoverRoute", 3, 10), ("OperationSelectorRoute", 6, 7), ("LocalRoute", 7, 35)} <= places


def test_children_come_before_their_parents(vocabulary):
    text = "orderedPool: [a, b]\nroute: {type: AllSyncRoute, children: [a, {type: AllInitialRoute, children: [b, a]}]}\n"
    config = load_config(text, "f", vocabulary)
    for place, spec in enumerate(config.routes):
        assert all(child < place for child in spec.args.get("children", ()))


def test_what_is_done_when_a_host_rejoins(vocabulary):
    text = "orderedPool: [a]\nroute: DefaultRoute\n"
    config = load_config(text, "f", vocabulary)
    assert (config.on_rejoin, config.journal_keys) == ("", 1_000_000)
    config = load_config(text + "onRejoin: flush\nrejoinJournalKeys: 0\n", "f", vocabulary)
    assert (config.on_rejoin, config.journal_keys) == ("flush", 0)


def test_a_selector_may_have_no_policies(vocabulary):
    for route in ("OperationSelectorRoute", "{type: OperationSelectorRoute}"):
        config = load_config(f"orderedPool: [a]\nroute: {route}\n", "f", vocabulary)
        assert policy(config) == ("OperationSelectorRoute", {"default_policy": ("DefaultRoute", {"children": ["a"]})})


def test_every_command_can_have_a_policy(vocabulary):
    policies = "".join(f"    {command}: LocalRoute\n" for command in vocabulary.commands)
    text = "orderedPool: [a]\nroute:\n  type: OperationSelectorRoute\n  operationPolicies:\n" + policies
    assert list(policy(load_config(text, "f", vocabulary))[1]["operation_policies"]) == list(vocabulary.commands)


def test_options_are_plain_values():
    fields = (Field("size"), Field("table"))
    handles = {"X": SimpleNamespace(fields=fields, check=None, chooses_one=False, times=lambda args: 1)}
    text = "orderedPool: [a]\nroute: {type: X, table: {a: [1, ~]}, size: 0x10}\n"
    config = load_config(text, "f", Vocabulary(handles, handles, ()))
    assert config.routes[config.route].args == {"table": {"a": [1, None]}, "size": 16}


def test_fifty_levels_of_policies(vocabulary):
    route = '"LocalRoute"'
    for _ in range(49):
        route = f'{{"type": "OperationSelectorRoute", "operationPolicies": {{"get": {route}}}}}'
    tree = policy(load_config(f'{{"orderedPool": ["a"], "route": {route}}}', "f", vocabulary))
    for _ in range(49):
        tree = tree[1]["operation_policies"]["get"]
    assert tree == ("LocalRoute", {})


def test_the_sample_in_the_repository(vocabulary):
    config = load_file(str(ROOT / "router.json"), vocabulary)
    assert [host.text for host in config.hosts] == ["127.0.0.1:11211", "127.0.0.1:11212"]
    everywhere = ("add", "append", "decr", "delete", "incr", "prepend", "replace", "set")
    expected = {
        **dict.fromkeys(everywhere, "AllFastestRoute"),
        **dict.fromkeys(("get", "gets"), "MissFailoverRoute"),
        **dict.fromkeys(("version", "quit"), "LocalRoute"),
    }
    name, fields = policy(config)
    assert name == "OperationSelectorRoute"
    assert {command: chosen[0] for command, chosen in fields["operation_policies"].items()} == expected


def test_files_and_standard_input(tmp_path, vocabulary, monkeypatch):
    text = b"orderedPool: [a]\r\nroute: DefaultRoute\r\n"
    file = tmp_path / "router.yaml"
    file.write_bytes(text)
    from_file = load_file(str(file), vocabulary)
    assert from_file.source == str(file)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    piped = load_file("-", vocabulary)
    assert (piped.source, piped.hosts, piped.routes) == ("<stdin>", from_file.hosts, from_file.routes)
    monkeypatch.setattr("sys.stdin", io.StringIO(text.decode()))
    assert load_file("-", vocabulary) == piped
