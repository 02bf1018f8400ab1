"""Routes that choose by the command (when the config is loaded), by the beginning of the key, or by routing prefix."""

import fnmatch
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from ..config.fields import BY_NAME, Field, Values, route
from ..proto.commands import Command
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, COPY, Branch, Route, refuse, start_in_background
from .framework.context import RouteContext
from .framework.handle import Args, Handle
from .framework.keyed import Gathering, KeyedRoute, for_keys, names_of
from .framework.renamed import prefix_of, without_prefix
from .null import ErrorRoute

SELECTOR = "OperationSelectorRoute"
_NO_ROUTE = b"SERVER_ERROR RootRoute: No rh found\r\n"
_SLASH = 47
_REMEMBERED = 10_000  # prefixes without a route of their own, with the routes that they select


def chosen(args: Values, command: Command) -> Optional[int]:
    """Returns the route that OperationSelectorRoute has for a command: its own, or that of the classic command that it
    is like, or the default."""
    policies = args["operation_policies"] or {}
    for name in (command.name, command.like):
        if name in policies:
            return int(policies[name])
    default: Optional[int] = args["default_policy"]
    return default


def _no_policy(args: Args, context: RouteContext) -> ErrorRoute:
    return ErrorRoute(f"{SELECTOR}: no policy for this command, and no default_policy")


class PrefixSelectorRoute(KeyedRoute):
    """Asks the route of the longest prefix that the key begins with.

    | the key                           | asked                                  |
    | begins with one or more prefixes  | the route of the longest of them       |
    | begins with none                  | `wildcard`; without one: SERVER_ERROR  |
    """

    def __init__(self, policies: Mapping[str, Route], wildcard: Optional[Route]) -> None:
        self._by_length: Dict[int, Dict[bytes, Route]] = {}
        for prefix, its in policies.items():
            name = prefix.encode()
            self._by_length.setdefault(len(name), {})[name] = its
        self._lengths = sorted(self._by_length, reverse=True)
        self._wildcard = wildcard or ErrorRoute("PrefixSelectorRoute: no prefix matches, and there is no wildcard")
        self._all = [*policies.values(), self._wildcard]
        self.may_ask_another_host = any(one.may_ask_another_host for one in self._all)

    def route_for(self, key: bytes) -> Route:
        """Returns the route of the longest prefix."""
        for length in self._lengths:
            found = self._by_length[length].get(key[:length])
            if found is not None:
                return found
        return self._wildcard

    def routes(self) -> Iterable[Route]:
        """Returns all routes."""
        return self._all

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Names the route of each key, and the prefix that selects it."""

        def remark(key: bytes) -> str:
            for length in self._lengths:
                if key[:length] in self._by_length[length]:
                    return f"prefix {key[:length].decode(errors='replace')}"
            return "no prefix: wildcard"

        return self._describe_keys(request, remark)


class RootRoute(KeyedRoute):
    """Asks the route of the key's routing prefix `/region/cluster/` (facebook/mcrouter).

    | the key                                     | asked                                                |
    | without a prefix, or with the default one   | the default route                                    |
    | with the prefix of a route                  | that route                                           |
    | with a pattern, as /*/*/ or /region/*/      | all routes that match; the default's answer, if it   |
    |                                             | is among them, else the first route's                |
    | with the prefix of a cluster without a route | the route /region/fallback/; without it: SERVER_ERROR |

    Hosts get the key without its prefix, except the hosts of a pool with `keep_routing_prefix`.
    """

    def __init__(self, routes: Mapping[str, Route], default: str, strip: bool, invalid_to_default: bool) -> None:
        self._routes = {prefix.encode(): route for prefix, route in routes.items()}
        self._default_prefix = default.encode()
        self._default = self._routes[self._default_prefix]
        self._strip = strip
        self._refusal: Route = self._default if invalid_to_default else _Refusal()
        self.takes_runs = False
        self.may_ask_another_host = any(route.may_ask_another_host for route in routes.values())
        self._found: Dict[bytes, List[Route]] = {}

    def route_for(self, key: bytes) -> Route:
        """Returns the default route: only for a key without a prefix a host is asked directly (`direct_host`)."""
        return self._default

    def direct_host(self, request: Optional[Request] = None) -> Optional[Destination]:
        """Returns the first host of the default route, for a key without a prefix."""
        if request is None:
            return None
        names = names_of(request)
        return self._default.direct_host(request) if len(names) == 1 and names[0][0] != _SLASH else None

    def start(self, request: Request, sink: Sink) -> None:
        """Asks the routes of the prefix."""
        key = request.key
        if key and key[0] != _SLASH:
            self._default.start(request, sink)
            return
        keys = names_of(request)
        prefixes = set(map(prefix_of, keys))
        if len(prefixes) > 1:
            self._mixed(request, sink, keys)
        else:
            self._prefixed(request, sink, prefixes.pop() if prefixes else b"")

    def _mixed(self, request: Request, sink: Sink, keys: List[bytes]) -> None:
        """Serves a get of keys with several prefixes."""
        groups: Dict[bytes, List[bytes]] = {}
        for key in keys:
            groups.setdefault(prefix_of(key), []).append(key)
        gathering = Gathering(request, sink, len(groups))
        for prefix, its_keys in groups.items():
            self._prefixed(for_keys(request, its_keys), gathering, prefix)

    def _prefixed(self, request: Request, sink: Sink, prefix: bytes) -> None:
        matching = self._matching(prefix)
        if self._strip and prefix:
            request, sink = without_prefix(request, sink, prefix)
        for other in matching[1:]:
            start_in_background(other, request)
        matching[0].start(request, sink)

    def _matching(self, prefix: bytes) -> List[Route]:
        """Returns all routes that a prefix selects; the first is the one whose answer is the answer."""
        if prefix in self._routes or not prefix:
            return [self._routes.get(prefix, self._default)]
        if prefix not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[prefix] = self._find(prefix)
        return self._found[prefix]

    def _find(self, prefix: bytes) -> List[Route]:
        if b"*" in prefix:
            region, cluster = (part.decode(errors="replace") for part in prefix.split(b"/")[1:3])
            names = [name for name in self._routes if _matches(name, region, cluster)]
            names.sort(key=lambda name: name != self._default_prefix)
            found = list({id(self._routes[name]): self._routes[name] for name in names}.values())
            return found or [self._refusal]
        fallback = self._routes.get(b"/" + prefix.split(b"/")[1] + b"/fallback/")
        return [self._refusal if fallback is None else fallback]

    def routes(self) -> Iterable[Route]:
        """Returns all routes."""
        return self._routes.values()

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists the routes that the prefix selects."""
        keys = names_of(request)
        if not keys:
            return "", [(ASKED, self._default)]
        prefix = prefix_of(next(iter(keys)))
        matching = self._matching(prefix)
        return prefix.decode(errors="replace"), [(COPY if place else ASKED, one) for place, one in enumerate(matching)]


class _Refusal(Route):
    """The answer to a prefix without a route."""

    def start(self, request: Request, sink: Sink) -> None:
        refuse(request, sink, _NO_ROUTE)


def _matches(name: bytes, region: str, cluster: str) -> bool:
    """Returns whether the prefix matches these patterns: `*` stands for any text, no other character is special."""
    region, cluster = (part.replace("[", "[[]").replace("?", "[?]") for part in (region, cluster))
    its_region, its_cluster = (part.decode(errors="replace") for part in name.split(b"/")[1:3])
    return fnmatch.fnmatchcase(its_region, region) and fnmatch.fnmatchcase(its_cluster, cluster)


def _prefix_selector(args: Args, context: RouteContext) -> PrefixSelectorRoute:
    return PrefixSelectorRoute(args.policies or {}, args.wildcard)


def _root(args: Args, context: RouteContext) -> RootRoute:
    return RootRoute(args.routes, args.default, not context.keeps_prefixes, context.invalid_to_default)


def _any_name(name: str) -> Optional[str]:
    return None if name.isprintable() and " " not in name else f"{name!r} cannot begin a key; write it without blanks"


HANDLES = (
    Handle(
        SELECTOR,
        (
            route("default_policy", default=None),
            Field("operation_policies", BY_NAME, default=None, also=("operationPolicies",)),
        ),
        _no_policy,
        specialise=chosen,
        chooses_one=True,
    ),
    Handle(
        "PrefixSelectorRoute",
        (Field("policies", BY_NAME, default=None, names=_any_name), route("wildcard", default=None)),
        _prefix_selector,
        chooses_one=True,
    ),
)
ROOT = Handle("RootRoute", (Field("routes", BY_NAME), Field("default")), _root)
