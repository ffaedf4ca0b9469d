"""What can be said of the files of deploy/ without running them.

Each check is a function of a Tree that yields faults: pairs of a rule and what breaks it. The rules are tried on planted faults
(planted.py), so a rule that finds nothing is noticed.
"""

from . import compose, containerfile, environment, units
from .files import Tree

# Each check, and the files that it is about.
CHECKS = (
    (compose, ("deploy/compose.yaml",)),
    (containerfile, ("deploy/Containerfile", ".dockerignore")),
    (environment, ("deploy/",)),
    (units, ("deploy/systemd/",)),
)


def all_faults(tree: Tree, path=None):
    """Every fault of every check; with a path, of the checks that it concerns."""
    for check, about in CHECKS:
        if path is None or path.startswith(about):
            yield from check.faults(tree)
