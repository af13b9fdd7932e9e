"""Builds {{name}}.wasm: installs the tools into .venv where they are missing, then makes the component."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
VENV = HERE / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
REQUIREMENTS = HERE / "requirements.txt"
INSTALLED = VENV / "requirements.txt"


def main():
    if not INSTALLED.exists() or INSTALLED.read_text() != REQUIREMENTS.read_text():
        venv.create(VENV, with_pip=True)
        run(PROGRAMS / "python", "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS)
        INSTALLED.write_text(REQUIREMENTS.read_text())
    os.environ["VIRTUAL_ENV"] = str(VENV)
    run(
        PROGRAMS / "componentize-py",
        *("--wit-path", "wit", "--world", "document-store"),
        *("componentize", "store", "--output", "{{name}}.wasm"),
    )


def run(*command):
    status = subprocess.run(command, cwd=HERE).returncode
    if status != 0:
        sys.exit(status)


main()
