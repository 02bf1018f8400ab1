"""The project's benchmark, run as tools/bench.py; nothing but the standard library, Linux.

    cases.py     the named loads; keys, values and whole batches with the replies that are right
    stage.py     the processes and the folder of one run, ended with it; CPU and memory from /proc
    proxies.py   memcached, the router and its rivals: what starts them and with which config
    loader.py    one load process: epoll, prepared bytes out, every reply checked
    rounds.py    one case before several proxies in alternating rounds; medians and ratios
    report.py    facts -> tables
    idle.py      memory per idle client
    startup.py   time to accept, time to import; first_answer.py, run by itself: CPU time to the first answer
    hotspots.py  where the time of a request goes; inside.py is the half of it that runs in the router's process
"""
