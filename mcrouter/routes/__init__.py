"""Routes: the policies that choose the hosts of a request, one idea in each file. They know requests, replies and
abstract destinations; no socket, no epoll, no clock.

`framework/` has what all routes are made of. `build` turns a checked config into one route for each command, at load
time, so that a request costs one look-up. `handles` is the table of the routes that a config can name.
"""
