"""Do what a page shows, in its order, in the current folder: write files, run commands and Python examples.

usage: python play_page.py PAGE. A program of its own, for what a page registers must not stay in the tests' process;
and one process for all of it, for the libraries take seconds to import.
"""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

from flnft_sim.cli import main


def blocks(text):
    """Language and content of every fenced block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def named_file(code):
    """The name in a block's first line, `# name.ext`, or None."""
    match = re.match(r"# (\S+\.\w+)\n", code)
    return match[1] if match else None


def run_command(line):
    """Run one command of a shell block; a failure ends the play."""
    program, *words = shlex.split(line)
    if program == "flnft":
        sys.argv = [program, *words]
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise SystemExit(f"{line} ended with {end.code}") from None
    elif program == "pytest":
        subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words], check=True)
    else:
        raise SystemExit(f"do not know how to run {line!r}")


def play(text):
    """Returns how many files, commands and examples there were."""
    names, files, commands, examples = {}, 0, 0, 0
    for language, code in blocks(text):
        if named_file(code):
            Path(named_file(code)).write_text(code, encoding="utf-8")
            files += 1
        elif language == "sh":
            for line in code.splitlines():
                run_command(line)
                commands += 1
        else:
            example = doctest.DocTestParser().get_doctest(code, names, "page", None, None)
            outcome = doctest.DocTestRunner().run(example, clear_globs=False)
            if outcome.failed or not outcome.attempted:
                raise SystemExit(f"not as shown, or nothing to run:\n{code}")
            names, examples = example.globs, examples + outcome.attempted
    return files, commands, examples


if __name__ == "__main__":
    sys.path.insert(0, "")  # as for who types the examples in this folder
    counts = play(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write("files, commands, examples: {} {} {}\n".format(*counts))
