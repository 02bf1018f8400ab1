"""The one-file forms: made alike every time, whole, readable, and the router in every respect."""

import ast
import json
import os
import signal
import subprocess
import sys

import bundle
import pytest

from mcrouter.cli.source_hash import source_hash, sources
from tests.support.processes import DEADLINE, ROOT, Memcached, ask, config, free_port, until

FORMS = (bundle.PYZ, bundle.STANDALONE)
BARE = ("-I", "-S", "-X", "dev", "-W", "error")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("dist")
    bundle.write(made)
    return made


def run(*words, cwd, **more):
    done = subprocess.run([sys.executable, *words], cwd=cwd, capture_output=True, text=True, timeout=DEADLINE, **more)
    return done.returncode, done.stdout, done.stderr


def test_it_is_the_same_whenever_it_is_made(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert bundle.write(tmp_path / "again") == {name: (folder / name).read_bytes() for name in FORMS}
    assert all(os.access(tmp_path / "again" / name, os.X_OK) for name in FORMS)


def test_the_command_says_what_it_has_made(tmp_path):
    code, out, err = run(str(ROOT / "tools" / "bundle.py"), "-o", str(tmp_path / "here"), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert [line.split(":")[0] for line in out.splitlines()] == [str(tmp_path / "here" / name) for name in FORMS]
    (tmp_path / "file").write_text("")
    code, out, err = run(str(ROOT / "tools" / "bundle.py"), "-o", str(tmp_path / "file" / "x"), cwd=tmp_path)
    assert (code, out, err.splitlines()[-1].rpartition(";")[2]) == (1, "", " name a folder with -o")


def test_the_script_has_every_module_as_it_is_in_the_syntax_of_3_9(folder):
    text = (folder / bundle.STANDALONE).read_text()
    ast.parse(text, feature_version=(3, 9))
    assert len(sources()) > 100
    for path, module in sources().items():
        assert f"mcrouter/{path} " in text and f"r'''{module.decode()}''', " in text


@pytest.mark.parametrize("form", FORMS)
def test_its_version_is_that_of_its_sources(folder, form, tmp_path):
    version = f"mcrouter 0.1.0 (source {source_hash()})\n"
    assert run(*BARE, str(folder / form), "--version", cwd=tmp_path) == (0, version, "")
    assert run("-m", "mcrouter", "--version", cwd=ROOT) == (0, version, "")


def test_another_text_has_another_hash(folder, tmp_path):
    text = (folder / bundle.STANDALONE).read_text()
    (tmp_path / "changed.py").write_text(text.replace("_ENDING = (signal.SIGTERM", "_ENDING =  (signal.SIGTERM"))
    assert source_hash() not in run(str(tmp_path / "changed.py"), "--version", cwd=tmp_path)[1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("words", [("explain", "-f", "router.json", "get", "k"), ("graph", "router.json"), ("-f", "router.json", "--validate-config")])
def test_its_subcommands_say_the_same(folder, form, words):
    assert run(*BARE, str(folder / form), *words, cwd=ROOT) == run("-m", "mcrouter", *words, cwd=ROOT)


@pytest.mark.parametrize("form", FORMS)
def test_its_errors_are_lines(folder, form, tmp_path):
    code, out, err = run(*BARE, str(folder / form), "-f", "none.json", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == "mcrouter: none.json: cannot read the config (No such file or directory); name a file that can be read, or - for standard input\n"


@pytest.mark.parametrize("form", FORMS)
def test_it_serves_in_several_event_loops_and_starts_anew(folder, form, tmp_path):
    host = Memcached().start()
    port = free_port()
    (tmp_path / "router.yaml").write_text(config([f"127.0.0.1:{host.port}"], "DefaultRoute"))
    command = [sys.executable, *BARE, str(folder / form), "-n", "2", "-L", "off", "-l", f"tcp://127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=log, start_new_session=True)
    try:
        until(lambda: _serves(port), "the router")
        assert ask(port, b"set k 0 0 1\r\nx\r\nget k\r\nquit\r\n") == b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n"
        process.send_signal(signal.SIGUSR2)
        assert process.wait(DEADLINE) == 0
        assert ask(port, b"get k\r\nquit\r\n") == b"VALUE k 0 1\r\nx\r\nEND\r\n"
        said = (tmp_path / "log").read_text().splitlines()
        assert all(" INFO " in line for line in said), said
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        until(lambda: not _serves(port), "its end")
        host.stop()


def _serves(port):
    try:
        return ask(port, b"quit\r\n") == b""
    except OSError:
        return False


def test_a_traceback_leads_to_the_line_in_the_script(folder, tmp_path):
    code = "import mcrouter_standalone as m\nm.load_config('x')"
    err = run("-c", code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(folder)})[2]
    script = (folder / bundle.STANDALONE).read_text().splitlines()
    places = [(line.split('"')[1], int(line.split("line ")[1].split(",")[0])) for line in err.splitlines() if "standalone.py" in line]
    shown = [line.strip() for line in err.splitlines() if line.startswith("    ") and set(line.strip()) - set("^~")]
    assert len(places) > 1
    assert [script[line - 1].strip() for _, line in places] == shown[-len(places) :]


@pytest.mark.parametrize("form", FORMS)
def test_it_can_be_imported_and_loads_no_more_than_it_needs(folder, form, tmp_path):
    name = "mcrouter_standalone" if form == bundle.STANDALONE else "mcrouter"
    path = str(folder if form == bundle.STANDALONE else folder / form)
    code = (
        f"import json, sys, {name} as m; before = len([n for n in sys.modules if n.startswith('{name}.')])\n"
        "with m.Router(m.load_config('{\"orderedPool\": [\"h\"], \"route\": \"NullRoute\"}'),"
        " m.Settings(listen='tcp://127.0.0.1:0', metrics_listen_addr='off')) as router:\n"
        "    answer = router.client().command(b'get a\\r\\n').decode()\n"
        f"print(json.dumps([before, answer, '{name}.explain' in sys.modules]))"
    )
    returncode, out, err = run("-X", "dev", "-W", "error", "-c", code, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    assert (returncode, err, json.loads(out)) == (0, "", [0, "END\r\n", False])


def test_the_script_can_be_vendored(folder, tmp_path):
    vendor = tmp_path / "project" / "_vendor"
    vendor.mkdir(parents=True)
    (vendor / "router_copy.py").write_bytes((folder / bundle.STANDALONE).read_bytes())
    code = "from project._vendor.router_copy import Router, ConfigError; print(Router.__module__)"
    assert run("-W", "error", "-c", code, cwd=tmp_path) == (0, "project._vendor.router_copy.router\n", "")


def test_the_smoke_test_passes_for_both(folder):
    code, out, err = run("-X", "dev", "-W", "error", str(ROOT / "tools" / "smoke.py"), *(str(folder / form) for form in FORMS), cwd=ROOT)
    assert (code, err) == (0, "")
    assert out.endswith("; the package, mcrouter.pyz, mcrouter_standalone.py\n")


@pytest.mark.parametrize(("words", "code", "told"), [(["--help"], 0, "usage: smoke.py"), (["nothing-here"], 2, "'nothing-here' is not a file")])
def test_the_smoke_test_says_how_it_is_used(words, code, told):
    found, out, err = run(str(ROOT / "tools" / "smoke.py"), *words, cwd=ROOT)
    assert found == code and told in out + err and "Traceback" not in err
