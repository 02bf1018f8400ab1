"""What serves: event loops and their processes, configs and their reloads, restarts, and the pages of the metrics port.

    serving.py     what serves a router's clients: single.py or processes.py
    single.py      one event loop in the router's thread         processes.py   a process for each event loop
    worker.py      an event loop with all that it serves         supervisor.py  forks, replaces and ends the processes
    hosts.py       makes its hosts                               channel.py     how a supervisor and a process talk
    policy.py      a config in effect                            worker_process.py  what a process does when told
    configs.py     how configs are read                          config_watcher.py  applies each new config of a source
    config_source.py  where configs come from                    config_state.py    whether the newest was taken
    reloading.py   another config takes effect                   listeners.py   the sockets that clients connect to
    takeover.py    restarts without interruption                 systemd.py     notifies a service manager
    pages.py       which page shows what                         inquiries.py   `get __mcrouter__.NAME`
    portions.py    work between ticks                            late_imports.py    what a start does not import
"""
