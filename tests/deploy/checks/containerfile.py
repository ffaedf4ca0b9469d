"""deploy/Containerfile: hadolint, and what this project asks of itself beyond it."""

import json
import re
import subprocess
import sys
from pathlib import Path

FILE = "deploy/Containerfile"
IGNORE = ".dockerignore"
# What must never be in the context of a build.
OUTSIDE = ("target", "data", ".git", "deploy/.env", "deploy/secrets")


def instructions(text):
    """Names and arguments, continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(name.upper(), rest.strip()) for name, rest in re.findall(r"^\s*([A-Za-z]+)\s+(.*)$", joined, re.MULTILINE)]


def faults(tree):
    text = tree.read(FILE)
    yield from _hadolint(text)
    found = instructions(text)
    last = max(place for place, (name, _) in enumerate(found) if name == "FROM")
    stages = [rest for name, rest in found if name == "FROM"]
    if len(stages) < 2:
        yield "stages", "the builder is part of the image"
    for stage in stages:
        image = stage.split()[0]
        if not re.search(r":\d+\.\d+", image):
            yield "pinned", f"the image is not pinned: {image}"
    if not re.search(r"rust:1\.95\.", stages[0]):
        yield "rust", "is not built with Rust 1.95"
    of_image = found[last:]
    values = {name: rest for name, rest in of_image}
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", values.get("USER", "")):
        yield "root", "does not run as a number that is not root"
    if [name for name, _ in of_image].index("USER") < max(place for place, (name, _) in enumerate(of_image) if name == "RUN"):
        yield "root", "the user is set before the last step that needs root"
    if not values.get("HEALTHCHECK", "").startswith("--") or "pelatis-health" not in values.get("HEALTHCHECK", ""):
        yield "health", "has no health check"
    for name in ("ENTRYPOINT", "CMD"):
        try:
            json.loads(values.get(name, ""))
        except ValueError:
            yield "exec", f"{name} is not in exec form, so the program would get no signal"
    if values.get("STOPSIGNAL") != "SIGTERM":
        yield "signal", "is not stopped by SIGTERM"
    if values.get("VOLUME") != "/data":
        yield "volume", "/data is no volume"
    if "--locked" not in text:
        yield "locked", "is not built with the locked versions"
    yield from _context(tree.read(IGNORE), found)


def _hadolint(text):
    program = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([program, "--no-color", "--failure-threshold", "info", "-"], input=text, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        yield "hadolint", (said.stdout + said.stderr).strip()


def _context(ignore, found):
    """What is copied is let in, and nothing is that must not be."""
    lines = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["*"]:
        yield "context", "what is not named is let in"
        return
    let_in = [line[1:] for line in lines if line.startswith("!")]
    for path in OUTSIDE:
        if any(path == name or path.startswith(f"{name}/") for name in let_in):
            yield "context", f"{path} is let in"
    for name, rest in found:
        if name == "COPY" and "--from" not in rest:
            source = rest.split()[-2]
            if source != "." and source not in let_in:
                yield "context", f"{source} is copied and not let in"
