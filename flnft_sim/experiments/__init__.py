"""Questions asked of a scenario or of a run, each usable from Python as the commands use it."""
