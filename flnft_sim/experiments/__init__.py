"""Experiments on a scenario that need no whole run, each usable from Python as the commands use it."""
