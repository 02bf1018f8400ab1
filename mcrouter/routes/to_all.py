"""Routes that ask all their children at once: AllSyncRoute, AllInitialRoute, AllAsyncRoute, AllMajorityRoute."""

from collections import Counter
from typing import Callable, Dict, List, Sequence, Tuple

from ..config.fields import routes
from ..proto import outcomes as o
from ..proto.replies import split_reply
from ..proto.reply import TOO_LARGE, Reply, unstreamed
from ..proto.request import Request
from ..proto.seams import Destination, Sink
from .framework.base import ASKED, COPY, Branch, Route, start_in_background
from .framework.handle import Handle
from .framework.held import Held
from .null import answer_default, default_reply

_ORDER = (
    o.SUCCESS, o.EXISTS, o.PARTIAL + o.MISS + o.NOT_FOUND + o.NOT_STORED, o.TIMEOUT + o.TKO + o.UNAVAILABLE,
    o.SERVER_ERROR + o.LOST, o.LOCAL, o.CLIENT_ERROR, o.ERROR,
)  # fmt: skip
SEVERITY: Dict[int, int] = {code: place for place, codes in enumerate(_ORDER) for code in codes}
"""How bad each outcome is. The order is facebook/mcrouter's, but for EXISTS and TOUCHED, which it ranks otherwise."""


class ToAll(Route):
    """Base class of routes that ask every child."""

    def __init__(self, children: Sequence[Route]) -> None:
        self._children = list(children)
        self.takes_runs = all(child.takes_runs for child in children)
        self.may_ask_another_host = any(child.may_ask_another_host for child in children)
        self.splits = any(child.splits for child in children)

    def routes(self) -> List[Route]:
        """Returns all children."""
        return self._children


class AllSyncRoute(ToAll):
    """Asks all children and waits for all; the worst answer is the answer (among equals the first to come).

    | answers                        | the answer                                              |
    | all successes                  | the first                                               |
    | a success, a miss              | the miss                                                |
    | a miss, an error               | the error                                               |
    | errors                         | timeout, unhealthy < a host's error < CLIENT_ERROR      |

    A get of several keys is split; a run is compared command by command.
    """

    takes_keys = False

    def start(self, request: Request, sink: Sink) -> None:
        """Asks all children."""
        collecting = Collecting(request, sink, len(self._children), worst)
        for child in self._children:
            child.start(request, collecting)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all children."""
        return "the worst answer is the answer", [(ASKED, child) for child in self._children]


Answers = List[Tuple[Reply, int]]
Choose = Callable[[Answers], Tuple[Reply, int]]


def worst(answers: Answers) -> Tuple[Reply, int]:
    """Returns the answer with the most severe outcome; among equals the first."""
    return max(answers, key=lambda answer: SEVERITY[answer[1]])


class Collecting:
    """The sink of a request to several routes. When all have answered, `choose` selects the answer to each command."""

    __slots__ = ("_answers", "_choose", "_request", "_sink", "_waiting")

    def __init__(self, request: Request, sink: Sink, waiting: int, choose: Choose) -> None:
        self._request = request
        self._sink = sink
        self._waiting = waiting
        self._choose = choose
        self._answers: List[Tuple[Reply, bytes]] = []

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer of one child."""
        self._keep(reply, outcomes)
        if len(self._answers) == self._waiting:
            self._sink.on_reply(*self._chosen())

    def _keep(self, reply: Reply, outcomes: bytes) -> None:
        self._answers.append((reply if isinstance(reply, bytes) else Held(reply), outcomes))

    def _chosen(self) -> Tuple[Reply, bytes]:
        answers, commands = self._answers, self._request.commands
        if any(reply is TOO_LARGE for reply, _ in answers):
            return TOO_LARGE, o.VALUE * len(commands)
        if len(commands) == 1:
            chosen, code = self._choose([(reply, code) for reply, (code,) in answers])
            for reply, _ in answers:
                if isinstance(reply, Held) and reply is not chosen:
                    reply.drop()
            return chosen, bytes([code])
        by_child = [
            list(zip(split_reply(unstreamed(reply), commands, outcomes), outcomes)) for reply, outcomes in answers
        ]
        best = [self._choose(list(answers)) for answers in zip(*by_child)]
        return b"".join(unstreamed(reply) for reply, _ in best), bytes(code for _, code in best)


class AllMajorityRoute(ToAll):
    """Asks all children; the answer is the first one that has the most frequent outcome.

    | outcomes                            | the answer                                              |
    | more than half are the same         | has that outcome, and is given as soon as this is known |
    | none is that frequent               | has the most frequent one, after all have answered      |
    | several are equally frequent        | has the worst of these, in the order of AllSyncRoute    |

    An error is an outcome like any other; two hits are the same outcome, whatever their values. A get of several keys
    is split; a run is counted command by command.
    """

    takes_keys = False

    def start(self, request: Request, sink: Sink) -> None:
        """Asks all children."""
        counting = Counting(request, sink, len(self._children), most_frequent)
        for child in self._children:
            child.start(request, counting)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all children."""
        return "the most frequent outcome is the answer", [(ASKED, child) for child in self._children]


def most_frequent(answers: Answers) -> Tuple[Reply, int]:
    """Returns the first answer with the most frequent outcome; of equally frequent outcomes, with the most severe."""
    counts = Counter(code for _, code in answers)
    return max(answers, key=lambda answer: (counts[answer[1]], SEVERITY[answer[1]]))


class Counting(Collecting):
    """The same, but it answers as soon as more than half of the children agree on every command."""

    __slots__ = ("_answered", "_half")

    def __init__(self, request: Request, sink: Sink, waiting: int, choose: Choose) -> None:
        super().__init__(request, sink, waiting, choose)
        self._half = waiting // 2
        self._answered = False

    def on_reply(self, reply: Reply, outcomes: bytes) -> None:
        """Takes the answer of one child; drops those that come after the decision."""
        if self._answered:
            return
        self._keep(reply, outcomes)
        if len(self._answers) == self._waiting or self._agreed():
            self._answered = True
            self._sink.on_reply(*self._chosen())

    def _agreed(self) -> bool:
        if len(self._answers) <= self._half:
            return False
        by_command = zip(*(outcomes for _, outcomes in self._answers))
        return all(max(Counter(codes).values()) > self._half for codes in by_command)


class AllInitialRoute(ToAll):
    """Asks all children; the first child's answer is the answer, whatever it is. The other answers are dropped.

    | the first child | the others | the answer      |
    | answers x       | anything   | x               |
    | fails           | anything   | the failure     |
    """

    def start(self, request: Request, sink: Sink) -> None:
        """Asks all children."""
        for child in self._children[1:]:
            start_in_background(child, request)
        self._children[0].start(request, sink)

    def after_failure(self, request: Request, sink: Sink, host: Destination, reply: Reply, outcomes: bytes) -> None:
        """Lets the first child continue: it was given the request unchanged."""
        self._children[0].after_failure(request, sink, host, reply, outcomes)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all children."""
        return "the first one's answer", [(COPY if place else ASKED, one) for place, one in enumerate(self._children)]


class AllAsyncRoute(ToAll):
    """Asks all children, and answers at once as NullRoute does; the children's answers are dropped.

    | the children | the answer                                              |
    | anything     | END, NOT_STORED or NOT_FOUND, depending on the command   |
    """

    def start(self, request: Request, sink: Sink) -> None:
        """Asks all children."""
        for child in self._children:
            start_in_background(child, request)
        answer_default(request, sink)

    def describe(self, request: Request) -> "Tuple[str, List[Branch]]":
        """Lists all children."""
        answer = default_reply(*request.commands)[0].decode().strip()
        return f"answers {answer} at once", [(COPY, child) for child in self._children]


HANDLES = (
    Handle(
        "AllMajorityRoute", (routes(),), lambda args, context: AllMajorityRoute(args.children), collapse_if_one=True
    ),
    Handle("AllSyncRoute", (routes(),), lambda args, context: AllSyncRoute(args.children), collapse_if_one=True),
    Handle("AllInitialRoute", (routes(),), lambda args, context: AllInitialRoute(args.children), collapse_if_one=True),
    Handle("AllAsyncRoute", (routes(),), lambda args, context: AllAsyncRoute(args.children)),
)
