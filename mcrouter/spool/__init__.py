"""The async log: keeps the deletes that a host did not get in files, and delivers them when the host is back.

    Spool(directory).add("10.0.0.1", 11211, b"key", "pool")  # called by the router for a delete that failed
    mcrouter replay DIR [--follow]                            # run by the operator, or as a service beside the router

The files have the format of facebook/mcrouter (its `mcrouter/AsyncLog.cpp`): its files can be replayed here, and its
tools can read the files written here. Each entry is one line of JSON, in one of two formats:

    | format | line                                                                 | here               |
    | ------ | -------------------------------------------------------------------- | ------------------ |
    | AS1.0  | ["AS1.0",1289416829.836,"C",["10.0.0.1",11302,"delete foo\\r\\n"]]     | read               |
    | AS2.0  | ["AS2.0",1289416829.836,"C",{"s":"service","f":"flavor","r":"region", | read and written:  |
    |        | "h":"[10.0.0.1]:11302","p":"pool","k":"foo"}]                        | any key, the pool  |

Modules: `entry` is a line; `layout` has the names of directories and files; `directory` checks at the start that files
can be made; `writer` appends; `replay` delivers what is there and keeps the rest; `deliver` speaks to the hosts;
cli/replay.py is `mcrouter replay`.

What an operator must know:

- Values stay right in any order. A delete that is replayed after a newer set removes the new value: that costs a miss,
  never a stale value. Until the replay has run, a host that is back may serve values that should have been deleted.
- A delete may be sent twice (a replay that was killed starts its file again). That, too, costs a miss at most.
- Directories and files have the modes that the router's umask gives. If the replay runs as another user than the
  router, the umask must let the group write (002), or an access list must.
- The replay may run at any time, also while routers write. Files that facebook's mcrouter may still have open wait
  until they are 16 minutes old: it writes to a file for 15 minutes, and does not notice that the file was taken.
- Entries that cannot be delivered stay. So does a line that cannot be read, until the operator corrects or removes it.
- Nothing is synced to the disk: entries survive the end of the router, but not a crash of the machine.
- The log holds only deletes that failed. If a host is gone for good, deliver its entries to another host with
  `--host OLD=NEW`, or remove its files.
"""
