"""What pyproject.toml cannot say: the shipped scenarios, kept in scenarios/, go into the package as its data."""

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


setup(cmdclass={"build_py": BuildWithScenarios})
