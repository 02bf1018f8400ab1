"""A request of each command that is about a key, for tables over all of them."""

STORES = ("set", "add", "replace", "append", "prepend")
DATA = {
    "get": b"get k\r\n",
    "gets": b"gets k\r\n",
    "gat": b"gat 10 k\r\n",
    "gats": b"gats 10 k\r\n",
    **{name: b"%b k 0 0 1\r\nx\r\n" % name.encode() for name in STORES},
    "cas": b"cas k 0 0 1 7\r\nx\r\n",
    "delete": b"delete k\r\n",
    "incr": b"incr k 1\r\n",
    "decr": b"decr k 1\r\n",
    "touch": b"touch k 10\r\n",
    "mg": b"mg k v\r\n",
    "ms": b"ms k 1\r\nx\r\n",
    "md": b"md k\r\n",
    "ma": b"ma k\r\n",
    "me": b"me k\r\n",
}
