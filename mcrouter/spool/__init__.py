"""The async log: deletes that a host could not be given are kept in files, and delivered when it is back.

    Spool(directory).add("10.0.0.1", 11211, b"key", "pool")  # the router, of a delete that failed
    mcrouter replay DIR [--follow]                            # the operator, or a service beside the router

The files are facebook/mcrouter's (its `mcrouter/AsyncLog.cpp`): what it has spooled is replayed here, and what reads
its files reads ours. One line of JSON an entry, in one of two formats:

    | format | line                                                                 | here               |
    | ------ | -------------------------------------------------------------------- | ------------------ |
    | AS1.0  | ["AS1.0",1289416829.836,"C",["10.0.0.1",11302,"delete foo\\r\\n"]]     | read               |
    | AS2.0  | ["AS2.0",1289416829.836,"C",{"s":"service","f":"flavor","r":"region", | read and written:  |
    |        | "h":"[10.0.0.1]:11302","p":"pool","k":"foo"}]                        | any key, the pool  |

Files: `entry` is a line; `layout` the names of directories and files; `writer` appends; `replay` goes through what is
there and keeps what could not be delivered; `deliver` speaks to the hosts; `command` is `mcrouter replay`.

What an operator must know:

- Order does not matter for right values. A delete that is replayed after a newer set takes the new value away: that
  costs a miss, never a stale value. Until the replay has run, a host that is back may serve what was to be deleted.
- A delete may be sent twice (a replay that was killed begins its file again). That costs a miss at most, too.
- Directories and files have the modes that the router's umask leaves them. A replay by another user than the router's
  needs a umask that lets its group write (002), or an access list.
- The replay may run at any time, beside routers that are writing. Files that facebook's mcrouter may still have open
  wait until they are 16 minutes old: it writes to a file for 15, and does not notice that it was taken.
- What cannot be delivered stays. So does a line that cannot be read, until somebody mends or removes it.
- Nothing is synced to the disk: entries survive the end of the router, and not that of the machine.
- Only what the router reports as failed is here. A host whose entries are never to be delivered (it is gone for
  good) is sent elsewhere with `--host OLD=NEW`, or its files are removed.
"""
