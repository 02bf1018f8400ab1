"""Shows without a server what the router would do with a request: `mcrouter explain` and `mcrouter graph`.

    asking.py     words of a command line -> requests
    answers.py    the answers of a scripted host
    dry.py        the routes over scripted hosts, with a clock that runs by itself
    scenarios.py  the hosts asked, and the answer, when a host fails in one way or another
    tree.py       the path of one request through the routes
    graph.py      the paths of all commands
"""
