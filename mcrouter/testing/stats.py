"""`stats` and its groups. A statistic that a dict does not have is 0, or that of a new memcached 1.6.18 process."""

import os
from typing import Callable, Dict, Sequence

from .admin import CLASS, CLASSES
from .counts import COUNTED
from .reply import BAD_FORMAT, ERROR
from .store import Store, size_of
from .words import u32

_BEFORE = "pid uptime time version libevent pointer_size rusage_user rusage_system max_connections curr_connections"
_AFTER = """
    auth_cmds auth_errors limit_maxbytes accepting_conns listen_disabled_num threads conn_yields hash_power_level
    slab_reassign_running slabs_moved lru_crawler_running malloc_fails log_watchers bytes curr_items expired_unfetched
    evicted_unfetched evicted_active evictions reclaimed crawler_reclaimed lrutail_reflocked"""
_NAMES = [*_BEFORE.split(), *COUNTED, *_AFTER.split()]
_FIXED = {"libevent": "none", "pointer_size": 64, "max_connections": 1024, "accepting_conns": 1, "threads": 1}

_SETTINGS = """
    maxconns 1024  udpport 0  verbosity 0  oldest 0  evictions off  domain_socket NULL  umask 700  shutdown_command no
    growth_factor 1.25  chunk_size 48  num_threads 1  stat_key_prefix :  reqs_per_event 20  cas_enabled yes
    tcp_backlog 1024  binding_protocol ascii  auth_enabled_sasl no  auth_enabled_ascii no  maxconns_fast yes
    slab_reassign no  slab_automove 0  lru_crawler no  flush_enabled yes  dump_enabled yes  lru_maintainer_thread no
    lru_segmented no  temp_lru no  idle_timeout 0  track_sizes no  inline_ascii_response no  ssl_enabled no
    memory_file (null)"""

_BY_CLASS = ("get_hits", "cmd_set", "delete_hits", "incr_hits", "decr_hits", "cas_hits", "cas_badval", "touch_hits")
_PREFIX = b"PREFIX %b get %d hit %d set %d del %d\r\n"
_SIZE_STEP = 32  # bytes
_USAGE = b"CLIENT_ERROR usage: stats detail on|off|dump\r\n"


class Stats:
    """Answers `stats` lines about a store; `connections()` returns the number of connections."""

    def __init__(self, store: Store, version: str, connections: Callable[[], int]) -> None:
        self._store, self._version, self._connections = store, version, connections
        self._kinds: Dict[bytes, Callable[[Sequence[bytes]], bytes]] = {
            b"reset": self._reset,
            b"detail": self._detail,
            b"cachedump": self._cachedump,
            b"settings": lambda words: _lines(self.settings()),
            b"items": lambda words: _lines(self._items()),
            b"slabs": lambda words: _lines(self._slabs()),
            b"sizes": lambda words: _lines(self._sizes()),
            b"sizes_enable": lambda words: self._track_sizes(True),
            b"sizes_disable": lambda words: self._track_sizes(False),
            b"conns": lambda words: _lines({}),
            b"extstore": lambda words: _lines({}),
        }

    def run(self, words: Sequence[bytes]) -> bytes:
        """Returns the answer to a line."""
        if len(words) == 1:
            return _lines(self.general())
        kind = self._kinds.get(words[1])
        return ERROR if kind is None else kind(words)

    def general(self) -> Dict[str, object]:
        """Returns the statistics of `stats`."""
        store, now = self._store, self._store.now()
        known = {
            **_FIXED,
            **store.counts,
            "pid": os.getpid(), "uptime": now - store.started, "time": now, "version": self._version,
            "curr_connections": self._connections(), "limit_maxbytes": store.byte_max,
            "bytes": store.bytes, "curr_items": len(store.items),
        }  # fmt: skip
        return {name: known.get(name, 0) for name in _NAMES}

    def settings(self) -> Dict[str, object]:
        """Returns the statistics of `stats settings`."""
        limits = {"maxbytes": self._store.byte_max, "item_size_max": self._store.item_max}
        words, detailed = _SETTINGS.split(), "yes" if self._store.counts.detailed else "no"
        return {**limits, **dict(zip(words[::2], words[1::2])), "detail_enabled": detailed}

    def _items(self) -> Dict[str, object]:
        items = self._store.items.values()
        if not items:
            return {}
        zeros = "evicted evicted_nonzero evicted_time outofmemory tailrepairs reclaimed expired_unfetched"
        oldest = min(item.time for item in items)
        facts = {"number": len(items), "age": self._store.now() - oldest, "mem_requested": self._store.bytes}
        return {f"items:{CLASS}:{name}": value for name, value in {**facts, **dict.fromkeys(zeros.split(), 0)}.items()}

    def _slabs(self) -> Dict[str, object]:
        number, counts = len(self._store.items), self._store.counts
        facts = {"total_chunks": number, "used_chunks": number, **{name: counts[name] for name in _BY_CLASS}}
        rows = {f"{CLASS}:{name}": value for name, value in facts.items()} if number else {}
        return {**rows, "active_slabs": int(number > 0), "total_malloced": self._store.bytes}

    def _sizes(self) -> Dict[str, object]:
        if not self._store.knows_sizes:
            return {"sizes_status": "disabled"}
        sizes: Dict[int, int] = {}
        for key, item in self._store.items.items():
            step = -(-size_of(key, item.value, item.flags) // _SIZE_STEP) * _SIZE_STEP
            sizes[step] = sizes.get(step, 0) + 1
        return {str(size): sizes[size] for size in sorted(sizes)}

    def _track_sizes(self, on: bool) -> bytes:
        self._store.knows_sizes = on
        return b"STAT sizes_status %b\r\n" % (b"enabled" if on else b"disabled")

    def _reset(self, words: Sequence[bytes]) -> bytes:
        self._store.counts.reset()
        return b"RESET\r\n"

    def _detail(self, words: Sequence[bytes]) -> bytes:
        counts = self._store.counts
        if words[2:3] == [b"dump"]:
            rows = (_PREFIX % (prefix, *row) for prefix, row in counts.prefixes.items())
            return b"".join([*rows, b"END\r\n"])
        if words[2:3] not in ([b"on"], [b"off"]):
            return _USAGE
        counts.detailed = words[2] == b"on"
        return b"OK\r\n"

    def _cachedump(self, words: Sequence[bytes]) -> bytes:
        """Answers `stats cachedump SLAB LIMIT`."""
        if len(words) < 4:
            return b"CLIENT_ERROR bad command line\r\n"
        slab, limit = u32(words[2]), u32(words[3])
        if slab is None or limit is None:
            return BAD_FORMAT
        if slab >= CLASSES:
            return b"CLIENT_ERROR Illegal slab id\r\n"
        items = list(self._store.living()) if slab == CLASS else []
        shown = items[: limit or None]
        rows = (b"ITEM %b [%d b; %d s]\r\n" % (key, len(item.value), item.expires) for key, item in shown)
        return b"".join([*rows, b"END\r\n"])


def _lines(facts: Dict[str, object]) -> bytes:
    return "".join([*(f"STAT {name} {value}\r\n" for name, value in facts.items()), "END\r\n"]).encode()
