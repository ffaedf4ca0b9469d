"""The compose file as compose reads it: filled in from an environment, without anchors and extensions."""

import re

import yaml

# the one in C, where it was built: it is read dozens of times
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<other>[^}]*))?\})")


class Unset(ValueError):
    """A variable that must be set and is not."""


def fill_in(value, environment):
    """Fills a value in, as deep as it goes. `$$` is a dollar sign."""
    if isinstance(value, dict):
        return {key: fill_in(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_in(inner, environment) for inner in value]
    if not isinstance(value, str):
        return value

    def replaced(found):
        name = found["name"]
        if name is None:
            return "$"
        given = environment.get(name, "")
        if given:
            return given
        if found["how"] == ":?":
            raise Unset(name)
        return found["other"] or ""

    return VARIABLE.sub(replaced, value)


def variables(text):
    """The variables of the file, and of them those that must be set."""
    found = [(match["name"], match["how"]) for match in VARIABLE.finditer(text) if match["name"]]
    return {name for name, _ in found}, {name for name, how in found if how == ":?"}


def parsed(text):
    """The file, not filled in."""
    document = yaml.load(text, Loader=LOADER)
    return {key: value for key, value in document.items() if not key.startswith("x-")}
