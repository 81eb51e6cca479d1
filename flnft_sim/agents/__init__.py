"""Who acts: Mesa agents whose lives are SimPy processes, and the world that lies below them."""
