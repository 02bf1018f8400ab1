"""What is imported when: little before the first answer, all the rest right after it, nothing on a request."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request

import pytest

from mcrouter.config.preprocess.builtins.table import BUILTINS
from mcrouter.config.usage import BUILTIN_NAMES
from mcrouter.routes.handles import ALL_HANDLES, ALL_ORDERED_POOL_HANDLES, HANDLES, INTERNAL, ORDERED_POOL_HANDLES
from mcrouter.testing import DemoHost
from tests.support.processes import DEADLINE, ROOT, ask, free_port, until

# Modules that only subcommands, --help, --version, --demo, tests and mypy need: no running router imports them.
NEVER = ("__main__", "cli.arguments", "cli.completion", "cli.explain", "cli.replay", "cli.source_hash", "cli.top", "demo",
         "engine.seams", "explain.scenarios", "spool.deliver", "spool.replay", "spool.report", "testing", "top")  # fmt: skip
OF_THE_COMMAND = ("cli", "cli.main", "cli.plain_flags", "server.configs.source", "server.configs.watcher")  # not of a router within another program

# What no start uses, of the package and of the standard library; of a folder, all that is in it.
UNUSED = ("client", "config.preprocess", "engine.clients.call", "explain", "metrics.exposition", "metrics.handler",
          "metrics.page", "metrics.process", "server.inquiries", "server.processes.channel", "server.processes.several",
          "server.processes.supervisor", "server.processes.worker_process", "spool",
          "stats.facts", "stats.server_lines", "stats.servers", "stats.summary", "stats.table", "status.facts",
          "status.look", "status.page", "status.plots", *NEVER[1:])  # fmt: skip
UNUSED_STANDARD = {"argparse", "dataclasses", "difflib", "hashlib", "http", "inspect", "ipaddress", "json", "pickle", "ssl",
                   "subprocess"}  # fmt: skip
FRAMEWORK = ("again", "base", "context", "handle", "keyed", "pieces", "pool", "renamed")
ALWAYS = {"build", "framework", "handles", "host", "local", "null", *(f"framework.{name}" for name in FRAMEWORK)}  # fmt: skip

SEED_JSON = (ROOT / "router.json").read_text()
SEED_YAML = "orderedPool:\n  - 127.0.0.1:11211\nroute: DefaultRoute\n"
POOLS_JSON = '{"pools": {"A": {"servers": ["127.0.0.1:11211", "127.0.0.1:11212"]}}, "route": "PoolRoute|A"}'
HANDLES_OF = {
    "seed.json": {"all_fastest", "framework.best", "default", "miss_failover", "selectors"},
    "seed.yaml": {"default"},
    "pools.json": {"asynclog", "hash", "selectors"},
}

# Runs the router in the main thread; another thread is its first client, and prints what it finds. The arguments are
# the path of the config, the port, and whether the rest is imported at all.
HOOK = """
import json, os, signal, socket, sys, threading, time
before = set(sys.modules)
sys.path.insert(0, sys.argv[4])
import mcrouter.cli.main
def said():
    while True:
        try:
            with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as sock:
                sock.sendall(b"set k 0 0 1\\r\\nx\\r\\nget k\\r\\ndelete k\\r\\nversion\\r\\nquit\\r\\n")
                return sock.makefile("rb").read()
        except ConnectionRefusedError:
            time.sleep(0.01)
def client():
    print(said()[:46])
    import mcrouter.system.deferred
    while sys.argv[3] == "all" and not imported.is_set():
        time.sleep(0.01)
    print(" ".join(sorted(set(sys.modules) - before)), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
import logging
imported = threading.Event()
class Seen(logging.Handler):
    def emit(self, record):
        if record.getMessage() == "all modules are imported":
            imported.set()
logging.getLogger("mcrouter.system.deferred").addHandler(Seen())
if sys.argv[3] == "few":
    import mcrouter.server.late_imports
    mcrouter.server.late_imports._FIRST_CLIENT = mcrouter.server.late_imports._FIRST_ANSWER = 1e6
threading.Thread(target=client, daemon=True).start()
sys.exit(mcrouter.cli.main.main(["-f", sys.argv[1], "-l", "tcp://127.0.0.1:" + sys.argv[2], "-L", "127.0.0.1:0", "--log-level", "debug"]))
"""


def package_modules():
    names = (path.relative_to(ROOT / "mcrouter").with_suffix("").as_posix() for path in (ROOT / "mcrouter").rglob("*.py"))
    return {name.replace("/", ".").replace(".__init__", "") for name in names} - {"__init__"}


def within(name, places):
    return any(name == place or name.startswith(f"{place}.") for place in places)


def loaded(tmp_path, name, text, how):
    """The modules that are there at the first answer, or once the start is complete."""
    with DemoHost() as one, DemoHost() as other:
        text = text.replace("127.0.0.1:11211", one.address).replace("127.0.0.1:11212", other.address)
        (tmp_path / name).write_text(text)
        command = [sys.executable, "-I", "-S", "-c", HOOK, str(tmp_path / name), str(free_port()), how, str(ROOT)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    answer, modules = done.stdout.splitlines()
    assert answer == str(b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\nDELETED\r\nVERSION ")
    return set(modules.split())


@pytest.mark.parametrize(("name", "text"), [("seed.json", SEED_JSON), ("seed.yaml", SEED_YAML), ("pools.json", POOLS_JSON)])
def test_the_first_answer_needs_few_modules(name, text, tmp_path):
    modules = loaded(tmp_path, name, text, "few")
    ours = {module.partition(".")[2] for module in modules if module.startswith("mcrouter.")}
    assert not {module for module in ours if within(module, UNUSED)}
    assert not modules & UNUSED_STANDARD
    assert {module for module in ours if module.startswith("routes.")} <= {f"routes.{one}" for one in ALWAYS | HANDLES_OF[name]}
    assert ("config.syntax.yaml" in ours, "config.syntax.json" in ours) == (name.endswith("yaml"), name.endswith("json"))
    assert {module for module in ours if module.startswith("hashing.")} <= {"hashing.memory", "hashing.choosers", "hashing.furc", "hashing.murmur"}
    assert not name.startswith("seed") or "hashing" not in ours


def test_the_list_of_what_is_unused_is_of_modules_that_exist():
    for place in (*NEVER, *OF_THE_COMMAND, *UNUSED):
        assert any(within(module, (place,)) for module in package_modules()), place


def test_the_rest_is_imported_right_after_it(tmp_path):
    modules = loaded(tmp_path, "router.json", SEED_JSON, "all")
    expected = {f"mcrouter.{name}" for name in package_modules() if not within(name, NEVER)}
    assert {module for module in modules if module.startswith("mcrouter.")} == expected


def test_of_a_router_in_a_program_too(tmp_path):
    code = (
        "import sys, time, mcrouter, mcrouter.system.deferred\n"
        "config = mcrouter.load_config('{\"orderedPool\": [\"127.0.0.1:1\"], \"route\": \"NullRoute\"}')\n"
        "with mcrouter.Router(config, mcrouter.Settings(listen='tcp://127.0.0.1:0', metrics_listen_addr='off')) as router:\n"
        "    while mcrouter.system.deferred._waiting:\n"
        "        time.sleep(0.01)\n"
        "print(*(name for name in sys.modules if name.startswith('mcrouter.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True)
    expected = {f"mcrouter.{name}" for name in package_modules() if not within(name, (*NEVER, *OF_THE_COMMAND))}
    assert set(done.stdout.split()) == expected


STEPS = """
import time, mcrouter.router, mcrouter.system.deferred
steps, longest, name = mcrouter.system.deferred.importing(), 0.0, ""
while mcrouter.system.deferred._waiting:
    begun, following = time.thread_time(), mcrouter.system.deferred._waiting[0]
    next(steps)
    longest, name = max((longest, name), (time.thread_time() - begun, following))
print(longest, name)
"""


def test_no_step_of_that_holds_a_tick_up():
    done = subprocess.run([sys.executable, "-c", STEPS], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=True)
    longest, name = done.stdout.split()
    assert float(longest) < 0.02, name


OTHER = """
macros: {hosts: {type: macroDef, params: [], result: ["127.0.0.1:1", "127.0.0.1:2"]}}
pools: {A: {servers: "@hosts()"}, B: {servers: ["[::1]:1"]}}
route: {type: LoadBalancerRoute, children: [{type: PoolRoute, pool: A, hash: ketama}, "HashRoute|Pool|B"]}
"""
BROKEN = "pools: {A: {servers: ['127.0.0.1:1']}}\nroute: FailoverRout|Pool|A\n"


@pytest.mark.parametrize("loops", ["1", "2"])
def test_a_process_needs_no_file_of_the_package_any_more(loops, tmp_path):
    shutil.copytree(ROOT / "mcrouter", tmp_path / "mcrouter", ignore=shutil.ignore_patterns("__pycache__"))
    config, port, metrics, log = tmp_path / "router.json", free_port(), free_port(), tmp_path / "log"
    config.write_text(SEED_JSON.replace('"quit"', '"stats": "LocalRoute", "quit"'))
    command = [sys.executable, "-m", "mcrouter", "-l", f"tcp://127.0.0.1:{port}", "-L", f"127.0.0.1:{metrics}", "-n", loops]
    command += ["--log-level", "debug", "--async-dir", str(tmp_path / "spool")]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=file, env=env)
    try:
        processes = 1 if loops == "1" else 1 + int(loops)
        until(lambda: log.read_text().count("all modules are imported") == processes, log)
        shutil.rmtree(tmp_path / "mcrouter")
        for group in (b"", b" all", b" detailed", b" servers", b" suspect_servers"):
            answer = ask(port, b"stats%b\r\nquit\r\n" % group)
            assert answer.endswith(b"END\r\n") and b"ERROR" not in answer
        for page in ("metrics", "status.json", "healthz", ""):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{metrics}/{page}", timeout=DEADLINE).close()
            except urllib.error.HTTPError as error:
                assert (page, error.code) == ("healthz", 503)
        for inquiry in (b"config_md5_digest", b"preprocessed_config", b"route(get,k)", b"route_handles(get,k)"):
            assert b"ERROR" not in ask(port, b"get __mcrouter__.%b\r\nquit\r\n" % inquiry)
        for text, outcome in ((OTHER, "is in effect"), (BROKEN, "did you mean 'FailoverRoute'")):
            config.write_text(text)
            process.send_signal(signal.SIGHUP)
            until(lambda outcome=outcome: outcome in log.read_text(), log)
        assert b"LoadBalancerRoute" in ask(port, b"get __mcrouter__.route_handles(get,k)\r\nquit\r\n")
        assert "ModuleNotFound" not in log.read_text() and "Traceback" not in log.read_text()
    finally:
        process.terminate()
        assert process.wait(DEADLINE) == 0


FORKS = """
import os, mcrouter
def make():
    config = mcrouter.load_config('{"orderedPool": ["127.0.0.1:1"], "route": "NullRoute"}')
    return mcrouter.Router(config, mcrouter.Settings(listen="tcp://127.0.0.1:0", metrics_listen_addr="off"))
with make() as router:
    for _ in range(10):
        pid = os.fork()
        if not pid:
            with make() as own:
                assert own.client().command(b"get k\\r\\n") == b"END\\r\\n"
                assert own.stats()["clients"] == 0 and b"pid" in own.client().command(b"stats\\r\\n")
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
"""


def test_a_program_may_fork_while_modules_are_imported():
    code = "import mcrouter.server.late_imports as late\nlate._FIRST_CLIENT = late._FIRST_ANSWER = 0\n" + FORKS
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=4 * DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_program_may_start_it_while_it_is_imported_itself(tmp_path):
    (tmp_path / "program").mkdir()
    shutil.copytree(ROOT / "mcrouter", tmp_path / "program" / "router", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "program" / "__init__.py").write_text(
        "import time\nfrom .router import Router, Settings, load_config\nfrom .router.system import deferred\n"
        "config = load_config('{\"orderedPool\": [\"127.0.0.1:1\"], \"route\": \"NullRoute\"}')\n"
        "with Router(config, Settings(listen='tcp://127.0.0.1:0', metrics_listen_addr='off')) as router:\n"
        "    while deferred._waiting:\n"
        "        time.sleep(0.01)\n"
        "        router.client().command(b'get k\\r\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", "import program"], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_names_of_the_builtin_macros_are_known_without_their_modules():
    assert set(BUILTINS) == BUILTIN_NAMES


def test_the_table_of_handles_names_the_right_modules():
    for table in (HANDLES, ORDERED_POOL_HANDLES, INTERNAL, ALL_HANDLES, ALL_ORDERED_POOL_HANDLES):
        assert [handle.name for handle in table.values()] == list(table)
        assert json.dumps(list(table)) and "NoRoute" not in table and table.get("NoRoute") is None
