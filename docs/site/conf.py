"""Sphinx's settings of the documentation; `build.py` beside this gathers the pages that it builds."""

project = "flnft-sim"
author = copyright = "the flnft-sim maintainers"
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # as GitHub makes them, so that one link works there and here
smartquotes = False  # two hyphens are an option's
html_theme = "furo"
html_title = "flnft-sim"
html_copy_source = html_show_sourcelink = False
pygments_style, pygments_dark_style = "default", "monokai"
suppress_warnings = ["misc.highlighting_failure"]  # examples may leave things out with an …
