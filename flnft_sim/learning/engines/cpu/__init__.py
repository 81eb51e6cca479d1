"""The CPU engine: local SGD of whole users at a time, in kernels that Numba compiles for the machine at hand.

Read `engine` (the doors), then `plan` (where everything lies in one flat workspace), `steps` (one user's training,
top to bottom), and last the kernels: `convolution`, `dense`, and the vector type they are written in, `vectors`.
"""
