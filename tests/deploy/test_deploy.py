"""What tools/deploy has is of use: it can be read, its flags and configs are the router's, its metrics exist."""

import configparser
import json
import os
import re
import shlex

import pytest

from mcrouter import Settings, load_config
from mcrouter.cli.main import make_parser, parsed_settings
from mcrouter.config.state import ConfigState
from mcrouter.metrics.table import METRICS
from mcrouter.router import Router
from mcrouter.server.configs.source import FileSource
from mcrouter.server.configs.watcher import ConfigWatcher
from mcrouter.server.processes.takeover import activated
from tests.deploy.manifests import DEPLOY, documents, of_kind
from tests.support.processes import until

HISTOGRAM = ("_bucket", "_sum", "_count")
OTHERS = {"up"}  # of Prometheus itself
LABELS = {"instance", "job", "le", "host", "cmd", "version"}


def settings(words):
    """The router's settings by these flags; raises where one of them is unknown or of no use."""
    return parsed_settings(make_parser().parse_args(words))


def port(text):
    return int(text.rpartition(":")[2])


# Kubernetes -----------------------------------------------------------------------------------------------------------

MANIFESTS = {"kubernetes/sidecar.yaml": "Deployment", "kubernetes/daemonset.yaml": "DaemonSet"}


def container(name):
    pod = of_kind(name, MANIFESTS[name])["spec"]["template"]
    (found,) = [one for one in pod["spec"]["containers"] if one["name"] == "mcrouter"]
    return pod, found


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_runs_the_router_with_flags_that_it_has(name):
    pod, router = container(name)
    known = settings(router["args"])
    ports = {one["name"]: one["containerPort"] for one in router["ports"]}
    assert known.metrics_listen_addr.port == ports["metrics"] == int(pod["metadata"]["annotations"]["prometheus.io/port"])
    if "memcached" in ports:
        assert known.listen[0].port == ports["memcached"]
    folder = router["volumeMounts"][0]["mountPath"]
    (config,) = of_kind(name, "ConfigMap")["data"]
    assert known.router_config == f"{folder}/{config}"
    assert pod["spec"]["volumes"][0]["configMap"]["name"] == of_kind(name, "ConfigMap")["metadata"]["name"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_ends_it_gently_probes_it_and_gives_it_no_rights(name):
    pod, router = container(name)
    assert {router[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} == {"/healthz", "/metrics"}
    assert router["readinessProbe"]["httpGet"]["path"] == "/healthz"
    waits = int(router["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["spec"]["terminationGracePeriodSeconds"] > waits + Router.stop.__defaults__[0]
    rights = router["securityContext"]
    assert rights["runAsNonRoot"] and rights["readOnlyRootFilesystem"] and rights["capabilities"] == {"drop": ["ALL"]}
    assert not rights["allowPrivilegeEscalation"]


def test_the_service_leads_to_the_daemon_set():
    service, daemons = (of_kind("kubernetes/daemonset.yaml", kind) for kind in ("Service", "DaemonSet"))
    labels = daemons["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == daemons["spec"]["selector"]["matchLabels"]
    ports = {one["name"] for one in container("kubernetes/daemonset.yaml")[1]["ports"]}
    assert {one["targetPort"] for one in service["spec"]["ports"]} <= ports
    assert service["spec"]["internalTrafficPolicy"] == "Local"


def test_the_application_is_told_where_the_sidecar_listens():
    spec = of_kind("kubernetes/sidecar.yaml", "Deployment")["spec"]["template"]["spec"]
    (told,) = [pair["value"] for one in spec["containers"] for pair in one.get("env", [])]
    known = settings(container("kubernetes/sidecar.yaml")[1]["args"])
    assert (known.listen[0].host, known.listen[0].port) == ("127.0.0.1", port(told))


CONFIGS = [(name, text) for name in MANIFESTS for text in of_kind(name, "ConfigMap")["data"].values()]
CONFIGS.append(("docker-compose.yaml", documents("docker-compose.yaml")[0]["configs"]["router"]["content"]))


@pytest.mark.parametrize(("name", "text"), CONFIGS)
def test_an_embedded_config_loads_without_a_warning(name, text):
    config = load_config(text, name)
    assert len(config.hosts) > 1 and not config.warnings


# Docker ---------------------------------------------------------------------------------------------------------------


def test_the_compose_file_fits_together():
    (whole,) = documents("docker-compose.yaml")
    router = whole["services"]["mcrouter"]
    known = settings(router["command"])
    assert {f"{known.listen[0].port}:{known.listen[0].port}", "9090:9090"} == set(router["ports"])
    assert router["configs"] == [{"source": "router", "target": known.router_config}]
    hosts = {host.host for host in load_config(whole["configs"]["router"]["content"]).hosts}
    assert hosts == set(router["depends_on"]) == set(whole["services"]) - {"mcrouter"}
    assert (DEPLOY / router["build"] / "Dockerfile").resolve().exists()
    assert f"127.0.0.1:{known.metrics_listen_addr.port}/healthz" in router["healthcheck"]["test"][-1]


# systemd --------------------------------------------------------------------------------------------------------------


def unit(name):
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str
    read.read_string((DEPLOY / "systemd" / name).read_text())
    return read


def test_the_service_runs_the_one_file_with_flags_that_it_has():
    words = shlex.split(unit("mcrouter.service")["Service"]["ExecStart"])
    assert words[:3] == ["/usr/bin/python3", "-I", "-S"] and words[3].endswith("/mcrouter.pyz")
    known = settings(words[4:])
    assert known.router_config == "/etc/mcrouter/router.json" and known.server_event_loops == 1


def test_its_ports_are_those_of_the_sockets_and_the_router_knows_them_by_name(monkeypatch):
    service = unit("mcrouter.service")
    sockets = service["Service"]["Sockets"].split()
    assert sockets == service["Unit"]["Requires"].split()
    names = [unit(name)["Socket"]["FileDescriptorName"] for name in sockets]
    assert all(unit(name)["Socket"]["Service"] == "mcrouter.service" for name in sockets)
    monkeypatch.setenv("LISTEN_FDS", str(len(names)))
    monkeypatch.setenv("LISTEN_FDNAMES", ":".join(names))
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    assert activated() == {"listen": ["fd://3"], "metrics_listen_addr": ["fd://4"]}
    assert [unit(name)["Socket"]["ListenStream"] for name in sockets] == ["8080", "9090"]


def test_it_is_told_apart_and_has_time_to_end():
    service = unit("mcrouter.service")["Service"]
    assert (service["Type"], service["NotifyAccess"], service["ExecReload"]) == ("notify", "main", "/bin/kill -HUP $MAINPID")
    assert float(service["TimeoutStopSec"]) > Router.stop.__defaults__[0]
    for right in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute", "DynamicUser"):
        assert service[right] == "yes"
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("strict", "")
    assert service["RestrictAddressFamilies"].split() == ["AF_INET", "AF_INET6", "AF_UNIX"]


# Prometheus and Grafana -----------------------------------------------------------------------------------------------


def families(namespace):
    """Every name that can stand in an expression, with its labels."""
    known = {}
    for metric in METRICS:
        name = metric.name if metric.name.startswith("process_") else f"{namespace}_{metric.name}"
        for suffix in HISTOGRAM if metric.type == "histogram" else ("",):
            known[name + suffix] = {*metric.labels, "instance", "job", *(["le"] if suffix == "_bucket" else [])}
    return known


def check(expression, namespace):
    """Raises where an expression names a metric or a label that there is not."""
    assert expression.count("(") == expression.count(")") and expression.count("{") == expression.count("}")
    known = families(namespace)
    bare = re.sub(r"\[[^\]]*\]|\"[^\"]*\"", "", expression)
    named = [name for name in re.findall(r"\b[a-z_]+\b(?=[{)\s]|$)", bare) if "_" in name and not name.startswith(("histogram_", "max_"))]
    metrics = [name for name in named if name in known or name.startswith((f"{namespace}_", "process_"))]
    assert metrics or OTHERS & set(re.findall(r"\w+", bare))
    for name in metrics:
        assert name in known, name
    labels = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", bare) for label in group.split(",")}
    for name in metrics:
        assert labels <= known[name] | (LABELS if len(set(metrics)) > 1 else set()), (name, labels)


RULES = [rule for group in documents("prometheus/alerts.yaml")[0]["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert(rule):
    check(rule["expr"], "mcrouter")
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))


def test_alerts_are_there_for_what_wakes_people_up():
    assert {rule["alert"] for rule in RULES if rule["labels"]["severity"] == "critical"} == {"McrouterDown", "McrouterNoHealthyHost"}
    assert len(RULES) == len({rule["alert"] for rule in RULES}) == 10


DASHBOARD = json.loads((DEPLOY / "grafana" / "mcrouter.json").read_text())
EXPRESSIONS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("namespace", ["mcrouter", "gomcrouter"])
@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS)
def test_a_panel(title, expression, namespace):
    check(expression.replace("${namespace}", namespace), namespace)


def test_the_dashboard_is_whole():
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["namespace"]["query"] == "mcrouter,gomcrouter"
    used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(DASHBOARD)))
    assert used - set(variables) <= {"__rate_interval", "__all"}
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places) and all(x + w <= 24 for x, _, w, _ in places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


GOMCROUTER = {  # gomcrouter's own families, of its internal/observability/metric/collector.go
    "requests_total": ("cmd",), "upstream_requests_total": ("cmd", "host"), "upstream_errors_total": ("cmd", "host"),
    "upstream_healthy_hosts_total": (), "upstream_connections_total": ("host",), "upstream_get_hits_total": ("host",),
    "upstream_get_misses_total": ("host",), "request_duration_milliseconds": ("cmd",),
    "upstream_request_duration_milliseconds": ("cmd", "host"), "version": ("version",),
}  # fmt: skip


def test_gomcrouters_families_are_here_with_its_labels():
    known = {metric.name: metric.labels for metric in METRICS}
    assert {name: known[name] for name in GOMCROUTER} == GOMCROUTER


def test_every_file_is_named_in_the_readme_of_the_folder():
    told = (DEPLOY / "README.md").read_text()
    for path in DEPLOY.rglob("*.*"):
        if path.suffix not in (".md", ".pyc"):
            assert path.name in told


def test_a_changed_config_map_is_noticed(tmp_path):
    """A mounted ConfigMap is changed by the swap of a symlink: router.yaml -> ..data/router.yaml, ..data -> ..N."""
    for number, host in enumerate(("before", "after")):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "router.yaml").write_text(f"orderedPool: [{host}]\nroute: DefaultRoute\n")
    (tmp_path / "..data").symlink_to("..0")
    path = tmp_path / "router.yaml"
    path.symlink_to("..data/router.yaml")
    taken = []
    source = FileSource(str(path), Settings())
    assert [host.text for host in source.read().hosts] == ["before"]
    watcher = ConfigWatcher(source, taken.append, ConfigState(), 0.01)
    watcher.start()
    try:
        (tmp_path / "..new").symlink_to("..1")
        (tmp_path / "..new").rename(tmp_path / "..data")
        until(lambda: taken)
    finally:
        watcher.stop()
    assert [host.text for host in taken[0].hosts] == ["after"]


def test_a_change_between_reading_and_watching_is_noticed(tmp_path):
    path, taken = tmp_path / "router.yaml", []
    path.write_text("orderedPool: [before]\nroute: DefaultRoute\n")
    source = FileSource(str(path), Settings())
    source.read()
    path.write_text("orderedPool: [afterwards]\nroute: DefaultRoute\n")
    watcher = ConfigWatcher(source, taken.append, ConfigState(), 0.01)
    watcher.start()
    try:
        until(lambda: taken)
    finally:
        watcher.stop()
    assert [host.text for host in taken[0].hosts] == ["afterwards"]
