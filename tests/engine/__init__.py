"""Tests of the engine's parts with a poller and a clock of the real kind, and hosts that do as a test wants."""
