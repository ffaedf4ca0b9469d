"""deploy/systemd: `systemd-analyze verify` in a root of its own, `systemd-analyze security` with a threshold, and rules of our own."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

# Tenths of what systemd-analyze calls the exposure, of 100. It was 12 when this was written.
MOST_EXPOSURE = 15
SHUTDOWN_SECONDS = 30
# for the last bytes, what was kept in memory, and the connections
LEAVE_SECONDS = 20


def is_there():
    return shutil.which("systemd-analyze") is not None


def faults(tree):
    units = {name: tree.read(f"deploy/systemd/{name}") for name in tree.units()}
    for name, text in units.items():
        for rule, what in _unit(text):
            yield rule, f"{name}: {what}"
    if is_there():
        with tempfile.TemporaryDirectory(prefix="pelatis-units.") as folder:
            yield from _analyzed(Path(folder), units)


def _unit(text):
    values = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    for name, wanted in (
        ("User", "pelatis"), ("NoNewPrivileges", "true"), ("ProtectSystem", "strict"), ("CapabilityBoundingSet", ""),
        ("StateDirectory", "pelatis"), ("UMask", "0077"),
    ):
        if values.get(name) != wanted:
            yield "hardened", f"{name} is not {wanted or 'empty'}"
    if "SystemCallFilter=@system-service" not in text:
        yield "hardened", "any system call is let through"
    if values.get("Type") == "exec":
        if int(values.get("TimeoutStopSec", "0")) < SHUTDOWN_SECONDS + LEAVE_SECONDS:
            yield "grace", f"is killed before what runs has had its {SHUTDOWN_SECONDS} s and it has taken leave"
        if values.get("KillSignal") != "SIGTERM":
            yield "signal", "is not stopped by SIGTERM"
        if values.get("Restart") != "always":
            yield "restart", "is not started again"
        if not values.get("LoadCredential", "").startswith("secret.key:"):
            yield "key", "is not given its key as a credential"
    if re.search(r"(PASSWORD|SECRET_KEY)=|://[^/\s]*:[^/\s]*@", text):
        yield "secret", "has a secret in it"


def _analyzed(root, units):
    system = root / "usr/lib/systemd/system"
    given = next(path for path in (Path("/usr/lib/systemd/system"), Path("/lib/systemd/system")) if path.is_dir())
    shutil.copytree(given, system, symlinks=True)
    (root / "lib").symlink_to("usr/lib")
    own = root / "etc/systemd/system"
    own.mkdir(parents=True)
    for program in ("usr/local/bin/pelatis", "bin/sh"):
        path = root / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
    for name, text in units.items():
        (own / name).write_text(text, encoding="utf-8")
    named = [name.replace("@.", "@1.") for name in units]
    # it warns of a key that it does not know, and ends well
    said = _run("verify", "--man=no", f"--root={root}", *named)
    if said.returncode != 0 or said.stderr.strip():
        yield "verify", said.stderr.strip()
    for name in units:
        said = _run("security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(own / name))
        if said.returncode != 0:
            yield "exposure", f"{name}: {(said.stdout + said.stderr).strip().splitlines()[-1]}"


def _run(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
