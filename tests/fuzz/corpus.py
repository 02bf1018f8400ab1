"""What is spoilt: well-formed requests, replies and configs."""

from pathlib import Path

REQUESTS = tuple(
    text.encode()
    for text in (
        "get a\r\n", "get a b c\r\n", "gets a\r\n", "gat 10 a\r\n", "gats 0 a b\r\n", "get " + "k" * 250 + "\r\n",
        "set a 0 0 1\r\nx\r\n", "set a 1 -1 10 noreply\r\n0123456789\r\n", "add a 0 0 0\r\n\r\n", "append a 0 0 1\r\ny\r\n",
        "cas a 0 0 1 7\r\nx\r\n", "delete a\r\n", "delete a noreply\r\n", "delete a 0\r\n", "incr n 1\r\n", "decr n 18446744073709551615\r\n",
        "touch a 10\r\n", "mg a\r\n", "mg a v t f k q O1\r\n", "ms a 1\r\nx\r\n", "ms YQ== 1 b T0 q\r\nx\r\n", "md a q\r\n", "ma n D5 v\r\n",
        "mn\r\n", "me a\r\n", "version\r\n", "verbosity 1\r\n", "stats\r\n", "stats items\r\n", "flush_all 10 noreply\r\n", "shutdown\r\n",
        "ms a 2 T5 F1 c k O1 q\r\nab\r\n", "ms a 3 MA N0 C5 I\r\nabc\r\n", "ms YWI= 1 k b s v t\r\nx\r\n", "mg YWI= O7 b k v\r\n", "md YQ== b k q\r\n", "me YQ== b\r\n",
        "set a x 0 12\r\nset b 0 0 1\r\n\r\n", "ms a 5 !\r\nmn\r\nm\r\n", "cas a 0 0 3 noreply\r\nabc\r\n",
        "get a\r\nget b\r\nset a 0 0 1\r\nx\r\nget a\r\n", "set a 0 0 3\r\nabc\r\n" * 5, "get x\r\n" * 70, "quit\r\n",
    )
)  # fmt: skip

# (what is asked, a reply to it)
REPLIES = tuple(
    (asked.encode(), reply.encode())
    for asked, reply in (
        ("get a\r\n", "VALUE a 0 3\r\nabc\r\nEND\r\n"), ("get a\r\n", "END\r\n"), ("get a\r\n", "SERVER_ERROR out of memory\r\n"),
        ("get a b c\r\n", "VALUE a 0 1\r\nx\r\nVALUE c 7 2\r\nyz\r\nEND\r\n"), ("gets a\r\n", "VALUE a 0 1 99\r\nx\r\nEND\r\n"),
        ("get a b a\r\n", "VALUE a 0 1\r\nx\r\nVALUE b 0 1\r\ny\r\nVALUE a 0 1\r\nx\r\nEND\r\n"), ("gat 1 a\r\n", "VALUE a 0 1\r\nx\r\nEND\r\n"),
        ("set a 0 0 1\r\nx\r\n", "STORED\r\n"), ("set a 0 0 1\r\nx\r\n", "NOT_STORED\r\n"), ("delete a\r\n", "DELETED\r\n"),
        ("incr n 1\r\n", "42\r\n"), ("touch a 1\r\n", "TOUCHED\r\n"), ("mg a v\r\n", "VA 3 t0\r\nabc\r\n"), ("mg a v\r\n", "EN\r\n"),
        ("ms a 1\r\nx\r\n", "HD\r\n"), ("ma n v\r\n", "VA 1\r\n5\r\n"), ("version\r\n", "VERSION 1.6\r\n"),
        ("stats\r\n", "STAT pid 1\r\nSTAT time 2\r\nEND\r\n"), ("get a\r\nget b\r\n", "VALUE a 0 1\r\nx\r\nEND\r\nEND\r\n"),
        ("set a 0 0 1\r\nx\r\nget a\r\nget b\r\n", "STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\nVALUE b 0 2\r\nyy\r\nEND\r\n"),
    )
)  # fmt: skip

CONFIGS = tuple(path.read_bytes() for path in sorted((Path(__file__).parents[1] / "config" / "valid").iterdir()))
