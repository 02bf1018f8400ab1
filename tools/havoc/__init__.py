"""The project's chaos test, run as tools/chaos.py; nothing but the standard library, Linux.

    values.py      values that say what they are: key, sequence, size
    keys.py        a key and what a read of it may give; findings
    operations.py  requests that know what they may be answered with
    wire.py        bytes -> replies
    habits.py      kinds of clients, and the batches that they send
    client.py      one checking client: a connection, its keys, what it waits for
    load.py        all clients in one loop
    hosts.py       memcacheds that are killed, frozen, thawed and started again
    relay.py       a relay that cuts what passes between the router and a memcached
    router.py      the router as a process, and what can be seen of it from outside
    faults.py      what happens to which host when, in a round
    rounds.py      a round: load and faults, all hosts back, what each of them holds
    soak.py        rounds for minutes, and what they leave in the router's memory

The model: a client is the only writer of its keys. Whatever was answered with an error may have been done or not, now
or later; nothing else leaves room: a read gives the state after the last acknowledged write, or after a later one of
unknown outcome, or a miss (a cache may always miss).
"""
