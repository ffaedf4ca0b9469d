"""Runs a command against a fresh server: `serve.py FOLDER COMMAND…`. The command finds it by PELATIS_URL, and signs in by
PELATIS_EMAIL and PELATIS_PASSWORD."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from installation import Installation, program  # noqa: E402

with Installation(program(), sys.argv[1]) as installation:
    environment = {
        **os.environ, "PELATIS_URL": installation.base, "PELATIS_EMAIL": installation.admin.email,
        "PELATIS_PASSWORD": installation.password,
    }
    code = subprocess.run(sys.argv[2:], env=environment, stdin=subprocess.DEVNULL, check=False).returncode
sys.exit(code)
