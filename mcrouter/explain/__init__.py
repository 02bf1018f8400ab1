"""What the router would do with a request, said without a server: `mcrouter explain` and `mcrouter graph`.

    asking.py     words of a command line -> requests
    answers.py    what a scripted host answers
    dry.py        a policy over scripted hosts, and a clock that runs by itself
    scenarios.py  who is asked, and what the answer is, when a host fails in this way or that
    tree.py       the way of one request through the handles
    graph.py      the ways of all commands
    command.py    the commands
"""
