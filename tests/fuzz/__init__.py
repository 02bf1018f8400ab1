"""Fuzzers: spoilt bytes for the client side, the upstream side and the config text; each says what must hold.

    FUZZ_SECONDS=60 FUZZ_SEED=7 pytest tests/fuzz       a second each, and always the same seed, if nothing is said
"""
