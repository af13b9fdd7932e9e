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
# A copy of the requirements, made once they are installed.
INSTALLED = VENV / "requirements.txt"


def main():
    if not INSTALLED.exists() or INSTALLED.read_text() != REQUIREMENTS.read_text():
        venv.create(VENV, clear=True, with_pip=True)
        run(PROGRAMS / "python", "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS)
        INSTALLED.write_text(REQUIREMENTS.read_text())
    # componentize-py takes the packages that the component imports from the environment that this names.
    os.environ["VIRTUAL_ENV"] = str(VENV)
    world = ["--wit-path", "wit", "--world", "document-store"]
    run(PROGRAMS / "componentize-py", *world, "componentize", "store", "--output", "{{name}}.wasm")


def run(*command):
    status = subprocess.run(command, cwd=HERE).returncode
    if status != 0:
        sys.exit(status)


if __name__ == "__main__":
    main()
