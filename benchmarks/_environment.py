"""An environment for peers, made under benchmarks/out beside this one: it borrows what is here, PyTorch above all."""

import site
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path(__file__).parent / "out" / "peers"
PATIENCE_S = 600


def install(requirement: str) -> str | None:
    """Install a peer beside this environment's packages; the reason if that fails."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        borrowed = ENVIRONMENT / "lib" / version / "site-packages" / "zz_borrowed.pth"  # searched last
        borrowed.write_text("\n".join(site.getsitepackages()))
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"{requirement} does not install within {PATIENCE_S} s"
    return None if result.returncode == 0 else f"{requirement} does not install ({last_line(result.stderr)})"


def last_line(text: str) -> str:
    """The end of what a program said."""
    return text.strip().splitlines()[-1][:160] if text.strip() else "no message"
