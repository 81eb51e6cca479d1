"""Engines: ways to compute the same training, one file or room each behind the `Engine` of `base`.

`torch_loop` runs any model, one user after the other; `torch_stacked` all users at once on a GPU; `cpu` the layer
tables of the shipped models, several times faster on a CPU. `choice` says which serves. Importing this loads none.
"""
