"""Networks that cut and hosts that lie: every answer that clients get is checked against what they know.

    policies.py   the policies, with hosts of their own or none
    requests.py   a client's keys, its requests, and what each may be answered with
    clients.py    many clients in one loop, which collect what is wrong
    hostile.py    hosts that spoil some of their replies
"""
