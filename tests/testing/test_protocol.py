"""What the embedded host says of itself, beside a memcached that was told the same: counts, dumps, what steers a host."""

import re

import pytest

from mcrouter.testing import Conversation, DemoHost, Store
from tests.differential.harness import talk
from tests.support.processes import Memcached

LIMIT = b"x" * 2000000

# Each acts on what those before it have left.
COUNTED = [
    b"version\r\nmn\r\nverbosity 1\r\n",
    b"set a 0 0 1\r\nx\r\n",
    b"get a nope\r\ngets a\r\n",
    b"gat 0 a nope\r\ngats 0 a\r\n",
    b"touch a 0\r\ntouch nope 0\r\n",
    b"add a 0 0 1\r\nx\r\nreplace nope 0 0 1\r\nx\r\nappend nope 0 0 1\r\nx\r\n",
    b"append a 7 0 1\r\nx\r\nprepend a 0 0 9\r\n123456789\r\n",
    b"cas nope 0 0 1 1\r\nx\r\ncas a 0 0 1 1\r\nx\r\n",
    b"set a 5 0 3\r\nabc\r\nset a 0 0 1\r\nx\r\n",
    b"set n 0 0 1\r\n1\r\nincr n 1\r\nincr nope 1\r\ndecr n 0\r\ndecr nope 1\r\nincr a 1\r\nincr n 99\r\n",
    b"delete n\r\ndelete nope\r\ndelete a x\r\n",
    b"set e 0 -1 1\r\nx\r\nget e\r\n",
    b"set big 0 0 2000000\r\n" + LIMIT + b"\r\nms big 2000000\r\n" + LIMIT + b"\r\n",
    b"set a 0 0 1\r\nxx\r\nset k 0 0 x\r\nget " + b"k" * 251 + b"\r\n",
    b"mg a v\r\nmg a\r\nmg nope v\r\nmg nope q\r\nmg a u v\r\nmg a zzz\r\n",
    b"mg a T0\r\nmg a T0 v\r\nmg nope T0\r\n",
    b"mg new N0 v\r\nmg newer N0 T30 v\r\n",
    b"ms b 1\r\nx\r\nms b 1 C1\r\nx\r\nms b 1 ME\r\nx\r\nms nope 1 C1\r\nx\r\nms nope 1 MA\r\nx\r\nms b 1 zz\r\nx\r\n",
    b"md b\r\nmd nope\r\nms b 1\r\nx\r\nmd b C1\r\nmd b I\r\n",
    b"ms n 1\r\n1\r\nma n\r\nma n MD\r\nma nope\r\nma nope MD\r\n",
    b"me a\r\nme nope\r\n",
    b"flush_all x\r\nflush_all 1000\r\n",
    b"set f 0 0 1\r\nx\r\nstats reset\r\nget f\r\n",
    b"set f 0 0 1\r\nx\r\nflush_all 0\r\nget f\r\n",
]
NAMES = """
    cmd_get cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses get_expired get_flushed delete_misses delete_hits
    incr_misses incr_hits decr_misses decr_hits cas_misses cas_hits cas_badval touch_hits touch_misses store_too_large
    store_no_memory total_items"""

# The answers to these are the same byte for byte, each line a connection. (A crawl that begins may find the crawler
# of the memcached busy.)
STEERED = """
    lru_crawler enable;lru_crawler enable x;lru_crawler crawl 1,x;lru_crawler crawl 0
    lru_crawler crawl 64;lru_crawler crawl;lru_crawler noreply
    lru_crawler metadump 64
    lru_crawler metadump all x;version;lru_crawler metadump all
    lru_crawler tocrawl 4294967295;lru_crawler tocrawl -1;lru_crawler sleep 1000001;lru_crawler sleep 1000000;lru_crawler mgdump all
    lru tune 20 40 x 2;lru tune 20 40 0.1x 2;lru tune -1 40 .1 2;lru tune 81 0 .1 2;lru tune 20 40 0 2;lru tune 20 40 .1 2 x
    lru temp_ttl 99999999999;lru temp_ttl;lru mode flat x noreply;lru mode segmented x y;lru mode
    slabs automove 1 x;slabs automove ratio;slabs automove ratio 0.5 noreply;slabs automove ratio -1;slabs automove ratio x
    slabs reassign 1 2;slabs reassign 0 1;slabs reassign 63 64;slabs reassign 1 2 3;slabs reassign 1;slabs reassign 5 5x
    slabs automove 2;slabs automove 3;slabs automove;slabs reassign 1 1 noreply
    extstore max_frag x;extstore max_frag 2;extstore free_memchunks 1;extstore free_memchunks 99 1;extstore free_memchunks 1 x
    extstore free_memchunks 1 2;extstore item_age;extstore item_age -1;extstore max_sleep 1;extstore drop_unread 5
    extstore item_size 1;extstore low_ttl 1;extstore recache_rate 1;extstore compact_under 5;extstore drop_under 5;extstore x 5 noreply
    refresh_certs noreply;shutdown graceful;debugtime p;misbehave;ping;pid;mget a;watch deletions;watch x noreply
    watch fetchers mutations;version;version;watch;watch proxyreqs noreply
    stats detail on;get q:a q:b r;set q:a 0 0 1;x;get q:a;mg q:a;ms q:c 1;x;md q:c;touch q:a 0;delete q:no;incr q:a 1;touch q:a 0;gat 0 q:a;me q:a;stats detail dump
    stats detail off;get q:a;stats detail dump;stats reset;stats detail dump
    stats sizes_enable;set z 0 0 1;x;stats sizes_disable;stats malloc;stats extstore x
"""


@pytest.fixture(scope="module")
def pair():
    """(an embedded host, a real memcached)."""
    memcached = Memcached("-m", "64").start()
    with DemoHost() as demo:
        yield demo, memcached
    memcached.stop()


def stats(port):
    """What was counted; `stats` itself says how much it has read and written."""
    found = dict(re.findall(rb"STAT (\S+) (.*)\r\n", talk(port, [b"stats\r\nquit\r\n"])))
    return {name: int(found[name.encode()]) for name in [*NAMES.split(), "bytes", "curr_items"]}


def test_it_counts_as_memcached_does(pair):
    for stream in COUNTED:
        for server in pair:
            talk(server.port, [stream + b"mn\r\nquit\r\n"])
        ours, memcached = (stats(server.port) for server in pair)
        if b"flush_all 0" in stream:  # what it has flushed memcached clears away when it likes
            del ours["bytes"], ours["curr_items"], memcached["bytes"], memcached["curr_items"]
        assert ours == memcached, stream[:200]
    assert pair[0].stats["cmd_get"] == ours["cmd_get"]


@pytest.mark.parametrize("line", STEERED.strip().splitlines(), ids=lambda line: line.strip()[:30])
def test_what_steers_a_host_is_answered_alike(pair, line):
    commands = [command.encode() + b"\r\n" for command in line.strip().split(";")]
    ours, memcached = (talk(server.port, [b"".join(commands)]) for server in pair)
    assert ours == memcached


@pytest.mark.parametrize("kind", ["", "settings", "items", "slabs", "sizes"])
def test_its_stats_have_names_that_memcached_has(pair, kind):
    asked = b"set a 0 0 1\r\nx\r\nstats %b\r\nquit\r\n" % kind.encode()
    ours, memcached = (set(re.findall(rb"STAT ([^\r\n ]+) ", talk(server.port, [asked]))) for server in pair)
    assert ours and ours <= memcached


def test_dumps_show_what_is_stored():
    now = [1000.0]
    ask = Conversation(Store(clock=lambda: now[0])).receive
    ask(b"set a:%% 0 0 1\r\nx\r\nset b 5 60 100\r\n" + b"y" * 100 + b"\r\nset c 0 1 1\r\nz\r\nget b\r\n")
    now[0] += 1
    assert ask(b"lru_crawler metadump all\r\n") == (
        b"key=a%3A%25%25 exp=-1 la=1000 cas=1 fetch=no cls=1 size=64\n"
        b"key=b exp=1060 la=1000 cas=2 fetch=yes cls=1 size=164\nEND\r\n"
    )
    assert ask(b"stats cachedump 1 0\r\n") == b"ITEM a:%% [1 b; 0 s]\r\nITEM b [100 b; 1060 s]\r\nEND\r\n"
    assert ask(b"stats cachedump 1 1\r\n") == b"ITEM a:%% [1 b; 0 s]\r\nEND\r\n"
    assert ask(b"stats cachedump 2 0\r\n") == b"END\r\n"
    assert ask(b"get c\r\nstats sizes_enable\r\nstats sizes\r\n").endswith(b"STAT 64 1\r\nSTAT 192 1\r\nEND\r\n")


def test_a_crawler_that_is_off_crawls_nothing():
    ask = Conversation(Store()).receive
    assert ask(b"lru_crawler crawl 1,2\r\n") + ask(b"lru_crawler disable\r\n") + ask(b"lru_crawler disable\r\n") == b"OK\r\n" * 3
    assert ask(b"lru_crawler crawl 1\r\n") == ask(b"lru_crawler metadump all\r\n") == b"CLIENT_ERROR lru crawler disabled\r\n"
    assert ask(b"lru_crawler enable\r\n") == b"OK\r\n"
    assert ask(b"lru_crawler metadump 63\r\n") == b"END\r\n"


def test_an_error_is_said_in_the_place_of_every_answer_and_nothing_is_done():
    store = Store()
    talk = Conversation(store)
    talk.receive(b"set a 0 0 1\r\n1\r\n")
    talk.error = b"SERVER_ERROR busy\r\n"
    stored = b"set a 0 0 1\r\n2\r\nms a 1 q\r\n2\r\ncas a 0 0 1 1\r\n2\r\nset big 0 0 2000000\r\n" + LIMIT + b"\r\n"
    assert talk.receive(stored) == talk.error * 4
    assert talk.receive(b"set a 0 0 1 noreply\r\n2\r\ndelete a noreply\r\nincr a 1 noreply\r\n") == b""
    asked = b"get a b\r\nincr a 1\r\nmg a q\r\nmn\r\nversion\r\nstats\r\nnonsense\r\n\r\nflush_all\r\n"
    assert talk.receive(asked) == talk.error * 9
    talk.error = b""
    assert talk.receive(b"get a\r\n") == b"VALUE a 0 1\r\n1\r\nEND\r\n"
    talk.error = b"ERROR\r\n"
    assert talk.receive(b"quit\r\nget a\r\n") == b"" and talk.closed


def test_no_room_is_said_as_a_memcached_with_M_says_it():
    store = Store()
    talk = Conversation(store).receive
    talk(b"set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\n")
    store.full = True
    refused = b"SERVER_ERROR out of memory storing object\r\n"
    assert talk(b"set a 0 0 1\r\n2\r\nadd c 0 0 1\r\n2\r\nappend b 0 0 1\r\n2\r\nset a 0 0 1 noreply\r\n2\r\n") == refused * 3
    assert talk(b"get a b\r\nincr b 1\r\n") == b"VALUE b 0 1\r\n1\r\nEND\r\n2\r\n"
    assert store.counts["store_no_memory"] == 4
