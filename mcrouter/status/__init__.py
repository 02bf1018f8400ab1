"""What is to be seen of a running router: the status page `/` and `/status.json` on the metrics port.

    counters ──► figures (totals, percentiles) ──► history (the last minutes) ──► facts (/status.json) ──► page (/)
"""
