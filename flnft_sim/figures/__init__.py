"""All that is drawn as a file, in one style: the pictures of a run (`run/`) and those beside a run.

Importing this package imports no drawing library; a picture's own file does.
"""

from flnft_sim.figures.drawing import Drawer
from flnft_sim.formats import figure_bytes, png_bytes, save_figure
from flnft_sim.results.pictures import FIGURES, Picture, render, render_all

__all__ = ["FIGURES", "Drawer", "Picture", "figure_bytes", "png_bytes", "render", "render_all", "save_figure"]
