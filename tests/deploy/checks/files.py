"""The files that are checked, as they are or with a fault planted."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent


class Tree:
    """The repository, some of its files with other text."""

    def __init__(self, changed=None):
        self.changed = changed or {}

    def read(self, path):
        if path in self.changed:
            return self.changed[path]
        return (ROOT / path).read_text(encoding="utf-8")

    def with_fault(self, path, old, new):
        """The same, with a text replaced, which must be there."""
        text = self.read(path)
        if old not in text:
            raise ValueError(f"{path} does not hold what the fault is planted in: {old!r}")
        return Tree({**self.changed, path: text.replace(old, new)})

    def units(self):
        return sorted(path.name for path in (ROOT / "deploy/systemd").glob("*.service"))


def assignments(text):
    """The names and values of an environment file."""
    return dict(re.findall(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$", text, re.MULTILINE))
