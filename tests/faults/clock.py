"""The router's clock before scripted backends: a busy machine is no slow host.

Time stands still while a backend has anything to do: bytes to read, a request to answer, a connection to accept. So a
request times out when a fault holds its reply back, and never because the backend's thread had no turn for so long.
"""

import time

STEP = 0.01  # seconds; the most that one look adds: a pause of the whole process is none of its hosts'


class Clock:
    """What `PollGroup` takes as its clock. `now` is what it says, in seconds."""

    def __init__(self, backends):
        self._backends = backends
        self._looked = self.now = time.monotonic()
        self._held = False

    def __call__(self):
        looked = time.monotonic()
        step, self._looked = min(looked - self._looked, STEP), looked
        if not self._held and not any(backend.has_work() for backend in self._backends):
            self.now += step
        return self.now

    def hold(self):
        """From here on time passes only by `step`."""
        self._held = True

    def step(self):
        """Lets as much time pass as one look would add."""
        assert self._held
        self.now += STEP

    def run(self):
        """Time passes by itself again."""
        self._held = False
