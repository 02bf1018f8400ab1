"""Clients with habits, that check every answer: to the byte, or loosely while there are faults."""

from typing import Any, List, Optional

from mcrouter.proto.replies import NO_MEMORY

from .commands import Asked, Commands
from .kernel import Kernel
from .loose import LooseReader, WrongAnswer
from .policies import Policy
from .sockets import FakeListener

_SPACIOUS = 1 << 30  # bytes; a pipe that takes all that a client has to say


class Habits:
    """How a client goes about it."""

    def __init__(self, kernel: Kernel) -> None:
        chance = kernel.chance
        self.rounds: int = chance.choice([1, 2, 4])  # batches of commands that it sends
        self.says_all_first = chance.random() < 0.3  # it reads nothing before it has sent its batch
        self.pace: float = chance.choice([1, 0.3, 0.05])  # how likely it reads when it can
        self.leaves = chance.random() < 0.1  # it may close at any time
        self.half_closes = chance.random() < 0.2  # it says that it has nothing more to say, then reads on
        self.sends_whole = chance.random() < 0.4  # one command at a time, most often after the answer to the last
        self.impatience: float = chance.choice([0.02, 0.1, 0.5])  # how likely it does not wait for that answer


class Client:
    """An actor: one client. `wrong` says what it was answered wrongly; with `loose` errors are right answers; with
    `is_bounded` there may be no memory for a value."""

    def __init__(
        self,
        kernel: Kernel,
        listener: FakeListener,
        number: int,
        sizes: List[int],
        policy: Policy,
        loose: bool,
        is_bounded: bool = False,
    ) -> None:
        self._kernel, self._listener, self.number = kernel, listener, number
        self._habits = habits = Habits(kernel)
        self._commands = Commands(kernel.chance, number, sizes, policy)
        self._reader: Optional[LooseReader] = LooseReader(number) if loose else None
        sends_at_once = habits.says_all_first or habits.sends_whole
        self._outgoing, self._incoming = kernel.pipe(_SPACIOUS if sends_at_once else 0), kernel.pipe()
        self._end: Any = None
        self._unsent = bytearray()
        self._whole: List[Asked] = []  # those of the commands in `unsent`
        self._got, self._expected = bytearray(), bytearray()
        self._is_bounded = is_bounded
        self._answers: List[bytes] = []  # those expected of this batch
        self._due = 0  # bytes of answers to what is sent
        self._rounds = habits.rounds
        self.wrong: Optional[str] = None
        self.dead = False
        self._next_batch()
        kernel.actors.append(self)

    def is_over(self) -> bool:
        """Whether it has gone."""
        return self.dead

    def describe(self) -> str:
        """What it still waits for, for a message."""
        got, expected = len(self._got), len(self._expected)
        return f"client {self.number}: {len(self._unsent)} bytes unsent, {got} of {expected} bytes of answers"

    # acting -------------------------------------------------------------------------------------------------------

    def can_act(self) -> bool:
        """Whether there is anything that it could do."""
        if self.dead:
            return False
        if self._end is None or self._can_read() or self._is_closed_by_router():
            return True
        return bool(self._unsent and self._outgoing.room()) or self._is_answered()

    def act(self) -> bool:
        """Arrives, sends, reads, leaves or goes on to its next batch."""
        if self.dead:
            return False
        if self._end is None:
            self._end = self._kernel.open(self._outgoing, self._incoming, self)
            self._listener.arrived(self._end)
        elif self._wants_to_send():
            self._send()
        elif self._can_read():
            self._read()
        elif self._is_closed_by_router():
            self._see_end()
        elif self._habits.leaves and self._kernel.chance.random() < 0.02:
            self._leave()
        elif self._is_answered():
            return self._go_on()
        else:
            return False
        return True

    def _can_read(self) -> bool:
        return bool(self._incoming.buffer) and not (self._habits.says_all_first and self._unsent)

    def _is_closed_by_router(self) -> bool:
        return self._incoming.eof and not self._incoming.buffer

    def _is_answered(self) -> bool:
        if self._unsent:
            return False
        return self._reader.is_complete() if self._reader else len(self._got) >= len(self._expected)

    def _wants_to_send(self) -> bool:
        chance, habits = self._kernel.chance, self._habits
        if not (self._unsent and self._outgoing.room()) or (self._incoming.buffer and chance.random() > 0.6):
            return False
        waits = habits.sends_whole and not habits.says_all_first and not self._reader and len(self._got) < self._due
        return not waits or chance.random() < habits.impatience

    def _send(self) -> None:
        chance = self._kernel.chance
        size = min(len(self._unsent), self._outgoing.room())
        if self._habits.sends_whole:
            asked = self._whole.pop(0)
            size = len(asked.wire)
            self._due += len(asked.answer)
        elif chance.random() < 0.5:
            size = chance.randint(1, size)
        self._outgoing.wire += self._unsent[:size]
        del self._unsent[:size]

    def _read(self) -> None:
        kernel = self._kernel
        if kernel.chance.random() > self._habits.pace:
            kernel.now += 1e-5
            return
        size = len(self._incoming.buffer)
        if kernel.chance.random() < 0.5:
            size = kernel.chance.randint(1, size)
        data = bytes(self._incoming.buffer[:size])
        del self._incoming.buffer[:size]
        kernel.was_read(self._incoming)
        self._check(data)

    def _see_end(self) -> None:
        if not (self._outgoing.fin and self._is_answered()) and not (self._reader and self._reader.may_close()):
            self._fail("closed by the router")
        self._leave()

    def _go_on(self) -> bool:
        """Everything is answered."""
        if self._rounds > 0:
            self._next_batch()
        elif not self._habits.half_closes:
            self._leave()
        elif not self._outgoing.fin:
            self._outgoing.fin = True
        else:
            return False  # the router closes
        return True

    def _next_batch(self) -> None:
        self._rounds -= 1
        self._got.clear()
        self._expected.clear()
        self._answers.clear()
        self._due = 0
        for _ in range(self._kernel.chance.choice([1, 1, 3, 10, 20])):
            asked = self._commands.draw()
            self._unsent += asked.wire
            self._whole.append(asked)
            self._answers.append(asked.answer)
            self._expected += asked.answer
            if self._reader:
                self._reader.ask(asked)

    # answers ------------------------------------------------------------------------------------------------------

    def _check(self, data: bytes) -> None:
        self._got += data
        if self._reader is None:
            if not self._expected.startswith(self._got) and not self._lacks_memory():
                self._fail("wrong answer")
            return
        try:
            self._reader.receive(data)
        except WrongAnswer as error:
            self._fail(str(error))

    def _lacks_memory(self) -> bool:
        """Whether what it got would be right, if there was no memory for some values: it expects that from then on."""
        at = 0
        for number, answer in enumerate(self._answers if self._is_bounded else []):
            got = bytes(self._got[at : at + max(len(answer), len(NO_MEMORY))])
            if answer.startswith((b"VALUE ", b"VA ")) and not answer.startswith(got[: len(answer)]) and NO_MEMORY.startswith(got[: len(NO_MEMORY)]):
                self._answers[number] = answer = NO_MEMORY
            at += len(answer)
        self._expected[:] = b"".join(self._answers)
        return self._expected.startswith(self._got)

    def _fail(self, why: str) -> None:
        if self.wrong is None:
            got, expected = bytes(self._got), bytes(self._expected)
            pairs = enumerate(zip(got, expected))
            at = next((at for at, (one, other) in pairs if one != other), min(len(got), len(expected)))
            begin = max(0, at - 60)
            shown = f"got {got[begin : at + 80]!r}, expected {expected[begin : at + 80]!r}"
            self.wrong = f"client {self.number}: {why}, at {at} of {len(expected)}: {shown}"
        self._leave()

    def _leave(self) -> None:
        self.dead = True
        self._outgoing.fin = True
        if self._end is not None and (self._incoming.wire or self._incoming.buffer):
            self._kernel.reset(self._end)
        self._incoming.abandon()
        self._kernel.was_read(self._incoming)
