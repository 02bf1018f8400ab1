"""Where configs come from, and what becomes of a new one that cannot take effect."""

import logging

import pytest

from mcrouter import ConfigError, RouterError, Settings, SettingsError
from mcrouter.config.state import ConfigState
from mcrouter.server.configs.source import FileSource, config_source
from mcrouter.server.configs.watcher import ConfigWatcher
from tests.support.processes import until

ONE, TWO = ("orderedPool: [%s]\nroute: DefaultRoute\n" % host for host in ("one", "two"))


def hosts(config):
    return [host.text for host in config.hosts]


def test_a_file_has_changed_once_its_writer_has_finished(tmp_path):
    path = tmp_path / "router.yaml"
    path.write_text(ONE)
    source = FileSource(str(path), Settings())
    assert hosts(source.read()) == ["one"] and source.can_change
    assert [source.changed(), source.changed()] == [False, False]
    path.write_text(TWO + "\n")
    assert [source.changed(), source.changed(), source.changed()] == [False, True, True]
    assert hosts(source.read()) == ["two"] and not source.changed()
    path.unlink()
    assert [source.changed(), source.changed()] == [False, False]
    path.write_text("route: 1\n")
    assert [source.changed(), source.changed()] == [False, True]
    with pytest.raises(ConfigError):
        source.read()
    assert [source.changed(), source.changed()] == [False, False]  # the same error is not told again and again


def test_a_file_that_is_imported_is_watched(tmp_path):
    path, imported = tmp_path / "router.json", tmp_path / "hosts.json"
    path.write_text('{"macros": {"hosts": {"type": "constDef", "result": "@import(%s)"}},'
                    '"pools": {"A": {"servers": "%%hosts%%"}}, "route": "PoolRoute|A"}' % imported)  # fmt: skip
    imported.write_text('["127.0.0.1:1"]')
    source = FileSource(str(path), Settings())
    assert hosts(source.read()) == ["127.0.0.1:1"]
    assert [source.changed(), source.changed()] == [False, False]
    imported.write_text('["127.0.0.1:1", "127.0.0.1:2"]')
    assert [source.changed(), source.changed()] == [False, True]
    assert len(hosts(source.read())) == 2 and not source.changed()


@pytest.mark.parametrize(
    ("settings", "files", "name"),
    [
        ({"router_config": "a.json"}, (), "a.json"),
        ({"router_config": "-"}, (), "<stdin>"),
        ({"config_str": "{}"}, ("router.yaml",), "--config-str"),
        ({"config_str": "{}", "router_config": "a.json"}, (), "a.json"),
        ({}, ("router.yaml", "router.json"), "router.yaml"),
        ({}, ("router.json",), "router.json"),
    ],
)
def test_the_settings_name_the_source(settings, files, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in files:
        (tmp_path / file).write_text(ONE)
    source = config_source(Settings(**settings))
    assert source.describe() == name
    assert source.can_change == (name.startswith(("a.", "router."))) and not source.changed()


def test_without_a_config_there_is_no_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="name a config with -f FILE"):
        config_source(Settings())


@pytest.mark.parametrize("error", [RouterError("the router has been stopped"), ValueError("no room"), RuntimeError("a bug")])
def test_a_config_that_cannot_take_effect_is_refused_and_the_watcher_goes_on(error, tmp_path, caplog):
    path, errors, taken, state = tmp_path / "router.yaml", [error], [], ConfigState()
    path.write_text(ONE)

    def apply(config):
        if errors:
            raise errors.pop()
        taken.append(config)

    watcher = ConfigWatcher(FileSource(str(path), Settings()), apply, state, None)
    watcher.start()
    try:
        with caplog.at_level(logging.INFO, "mcrouter"):
            watcher.now()
            until(lambda: state.failures)
            assert str(error) in state.error and not state.successful
            watcher.now()
            until(lambda: state.successful)
    finally:
        watcher.stop()
    assert [hosts(config) for config in taken] == [["one"]]
    is_bug = isinstance(error, RuntimeError)
    first = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert first.getMessage().startswith("unexpected error" if is_bug else "the new config is refused") and bool(first.exc_info) == is_bug
