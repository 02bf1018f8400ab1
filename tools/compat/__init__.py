"""Real memcached clients through the router: the table of clients, their environments, what they are run against."""
