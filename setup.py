"""What pyproject.toml cannot say: shipped scenarios go into the package, and a README whose links lead somewhere."""

import re
import tomllib
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = [path.as_posix() for path in sorted(Path("scenarios").rglob("*.yaml"))]


class BuildWithScenarios(build_py):
    """Copies scenarios/ to flnft_sim/scenarios, where an installed package finds it wherever it was installed.

    An editable install needs no copy: it reads the source tree.
    """

    def run(self) -> None:
        super().run()
        for source, target in self._copies():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *(target for _, target in self._copies())]

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), *SHIPPED]  # what a source distribution holds

    def _copies(self) -> list[tuple[str, str]]:
        if self.editable_mode:
            return []
        return [(source, str(Path(self.build_lib, "flnft_sim", source))) for source in SHIPPED]


def readme() -> str:
    """The README as it can be read outside the repository: no link leads to a file that is not there.

    They lead into the repository where pyproject.toml knows its address (`Repository` under [project.urls]); as long as
    it knows none, they are the plain names of the files, and pictures are left out.
    """
    text = Path("README.md").read_text(encoding="utf-8")
    urls = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    if "Repository" in urls:
        return re.sub(r"\]\((?![a-z]+:|#)", f"]({urls['Repository']}/blob/main/", text)
    text = re.sub(r"!\[[^\]]*\]\((?![a-z]+:)[^)]*\)\n*", "", text)
    return re.sub(r"\[([^\]]*)\]\((?![a-z]+:|#)[^)]*\)", r"\1", text)


setup(
    cmdclass={"build_py": BuildWithScenarios},
    long_description=readme(),
    long_description_content_type="text/markdown",
)
