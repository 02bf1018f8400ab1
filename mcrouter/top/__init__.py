"""`mcrouter top`: a running router's hosts on the terminal, from its `/status.json`.

    fetch (HTTP) ──► view (lines of styled pieces, for any width) ──► screen (curses) or plain (text)
"""
