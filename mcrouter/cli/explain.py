"""`mcrouter explain COMMAND KEY...` and `mcrouter graph FILE`. The exit code is 0, or, as for the router itself, 2 for
an invalid flag or config, with one line on stderr."""

import argparse
import json
import os
import sys
from typing import Any, Dict, List, Mapping, Sequence

from ..config import Config, ConfigError
from ..engine.hosts.journal import IGNORE
from ..explain.asking import alone, parsed, requests
from ..explain.dry import CLIENT, DryRun
from ..explain.graph import Graph
from ..explain.scenarios import Scenario, answer_words, asked_words, scenarios, text
from ..explain.tree import lines, plain, tree
from ..routes.framework.context import policy_options
from ..server.configs.source import config_source
from ..server.hosts import rejoin_mode
from ..settings import Settings, SettingsError
from .arguments import Parser, flags_for
from .main import complain, parsed_settings

_USAGE_ERROR = 2
_TOO_DEEP = "the config nests routes too deeply to explain this request; use fewer routes within one another"


def explain_parser() -> Parser:
    """Returns the parser of the flags of explain."""
    parser = Parser(
        prog="mcrouter explain",
        usage="%(prog)s [flags] COMMAND [KEY ...]",
        description="Shows without a server which hosts a request would be sent to, and what the answer would be.",
    )
    flags_for(parser, ("config",))
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("words", nargs="+", metavar="COMMAND KEY", help="a memcached command and its keys")
    return parser


def explain(args: argparse.Namespace) -> int:
    """Prints what would happen to a request; returns the exit code."""
    try:
        asked, settings = requests(args.words), parsed_settings(args)
        config = config_source(settings).read()
    except ValueError as error:  # also ConfigError and SettingsError
        return complain(str(error), _USAGE_ERROR)
    try:
        explanations = [Explanation(config, settings, data) for data in asked]
    except RecursionError:
        return complain(_TOO_DEEP, _USAGE_ERROR)
    if args.json:
        return _show(json.dumps([one.plain() for one in explanations], indent=2))
    return _show("\n\n".join(one.words() for one in explanations))


def _show(shown: str) -> int:
    try:
        print(shown, flush=True)
    except BrokenPipeError:  # the reader has closed its end, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


class Explanation:
    """The explanation of one request: a tree of routes for each of its keys, and its scenarios."""

    def __init__(self, config: Config, settings: Settings, data: bytes) -> None:
        self._config, self._settings = config, settings
        self._data = data
        self._trees = {name: self._tree(one) for name, one in _by_key(data).items()}
        self._scenarios = scenarios(self._run, data, [host.text for host in config.hosts])

    def _run(self, host_condition: Mapping[str, str]) -> DryRun:
        journals = rejoin_mode(self._config) != IGNORE
        options = policy_options(self._settings)
        return DryRun(self._config, host_condition, self._settings.timeout_ms, journals, **options)

    def _tree(self, data: bytes) -> Any:
        run = self._run({})
        run.ask(data)
        request = parsed(data, CLIENT)
        return tree(run.route_for(request), request, run.passed)

    def words(self) -> str:
        """Returns the explanation as text."""
        shown = [text(self._data.partition(b"\r\n")[0])]
        for name, its in self._trees.items():
            shown += ["", *([f"{name}:"] if name else []), *lines(its, "  ")]
        shown.append("")
        for group in _together(self._scenarios):
            shown += self._scenario_lines(group)
        return "\n".join(shown)

    def _scenario_lines(self, group: List[Scenario]) -> List[str]:
        first = group[0]
        when = ", ".join(one.when for one in group)
        result = first.result
        told = f"; recorded as missed for {', '.join(dict.fromkeys(result.told))}" if result.told else ""
        return [
            f"{first.host} {when}:" if first.host else "all hosts are healthy:",
            f"  asked: {asked_words(result, self._data)}{told}",
            f"  answer: {answer_words(result)}",
        ]

    def plain(self) -> Dict[str, Any]:
        """Returns the explanation as values for JSON."""
        return {
            "request": text(self._data),
            "trees": {name: plain(its) for name, its in self._trees.items()},
            "scenarios": [_plain(one) for one in self._scenarios],
        }


def _by_key(data: bytes) -> Dict[str, bytes]:
    """Returns a request for each key of a get of several keys, by key; else the request itself, under an empty key."""
    request = parsed(data, CLIENT)
    keys = request.keys()
    if len(keys) < 2:
        return {"": data}
    name = data.split(b" ", 1)[0].decode()
    return {text(key): alone(name, key) for key in keys}


def _together(found: Sequence[Scenario]) -> List[List[Scenario]]:
    """Groups neighbouring scenarios of one host that have the same result."""
    groups: List[List[Scenario]] = []
    for one in found:
        if groups and groups[-1][0].host == one.host and groups[-1][0].result == one.result:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _plain(one: Scenario) -> Dict[str, Any]:
    result = one.result
    asked = [{"phase": each.phase, "host": each.host, "request": text(each.line)} for each in result.asked]
    return {"host": one.host, "when": one.when, "asked": asked, "told": list(result.told), "answer": text(result.reply)}


def graph_parser() -> Parser:
    """Returns the parser of the flags of graph."""
    parser = Parser(
        prog="mcrouter graph",
        usage="%(prog)s [--dot] FILE",
        description="Prints the routes of every command, as indented text or for Graphviz.",
    )
    parser.add_argument("--dot", action="store_true", help="print it for Graphviz (dot -Tsvg)")
    parser.add_argument("router_config", metavar="FILE", help="the config; - reads standard input")
    return parser


def graph(args: argparse.Namespace) -> int:
    """Prints the routes of every command; returns the exit code."""
    try:
        drawn = Graph(config_source(Settings(router_config=args.router_config)).read())
    except (ConfigError, SettingsError) as error:
        return complain(str(error), _USAGE_ERROR)
    return _show(drawn.dot() if args.dot else drawn.text())
