"""The status of a running router: the page `/` and `/status.json` on the metrics port.

    counters ──► figures (totals, percentiles) ──► history (the last minutes) ──► facts (/status.json) ──► page (/)
"""
