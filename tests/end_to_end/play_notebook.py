"""Run a notebook's cells in their order, in the current folder, without Jupyter, and show each cell's last value.

usage: python play_notebook.py NOTEBOOK. Prints how many cells of code there were, and how many values have a form for
notebooks.
"""

import ast
import json
import sys
from pathlib import Path


def play(path):
    """Returns the number of cells and of values that have a form for notebooks; a cell that fails raises."""
    names, cells, shown = {"__name__": "__main__"}, 0, 0
    for cell in json.loads(Path(path).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        cells += 1
        value = run("".join(cell["source"]), f"cell {cells} of {path}", names)
        for form in ("_repr_html_", "_repr_png_"):
            if hasattr(value, form):
                shown += bool(getattr(value, form)())
    return cells, shown


def run(code, place, names):
    """Run a cell; returns the value of its last line where that is an expression."""
    *body, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        body.append(last)
    exec(compile(ast.Module(body, []), place, "exec"), names)
    return eval(compile(ast.Expression(last.value), place, "eval"), names) if isinstance(last, ast.Expr) else None


if __name__ == "__main__":
    sys.stdout.write("cells, shown: {} {}\n".format(*play(sys.argv[1])))
