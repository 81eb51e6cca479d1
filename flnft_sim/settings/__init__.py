"""What a scenario can tell the parts that ship, one file a room.

The parts take these classes and the scenario's sections are made of them, so that nothing is written twice. They lie
below both, and here is no library: a scenario is read and checked without the parts and without NumPy. A part of
another package keeps its settings in its own file.
"""
