"""Every name that an environment sets is one that somebody reads: the program by deploy/pelatis.toml, or an image by its manual."""

import re

import yaml

from .files import assignments
from .interpolation import parsed, variables

# What is set for the images of others.
OTHERS = {
    "postgres": {"POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS", "OWNER_PASSWORD", "APP_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "s3": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"},
    "nginx": {"PELATIS_HOST", "PELATIS_UPSTREAM", "FILES_HOST", "FILES_UPSTREAM", "NGINX_ENVSUBST_FILTER"},
}


def known(tree):
    """The names in the environment that the program reads, as its own file tells."""
    names = set(re.findall(r"^# Environment: (\w+)\.", tree.read("deploy/pelatis.toml"), re.MULTILINE))
    return names | {"PELATIS_CONFIG"}


def faults(tree):
    names = known(tree)
    text = tree.read("deploy/compose.yaml")
    try:
        services = parsed(text)["services"]
    except yaml.YAMLError:
        # another check says it
        return
    for service, content in services.items():
        for name in content.get("environment", {}):
            if name not in OTHERS.get(service, names):
                yield "unknown", f"compose.yaml, {service}: nobody reads {name}"
    if "DATABASE_OWNER_URL" in {**services["server"]["environment"], **services["worker"]["environment"]}:
        yield "owner", "compose.yaml: a server is given the owner of the tables"
    mine = {key: value for key, value in services["server"]["environment"].items() if key in services["worker"]["environment"]}
    if any(services["worker"]["environment"][key] != value for key, value in mine.items()):
        yield "agree", "compose.yaml: server and worker do not agree"

    example = assignments(tree.read("deploy/env.example"))
    wanted, needed = variables("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")))
    for name in sorted(wanted - example.keys()):
        yield "example", f"env.example: {name} is missing"
    for name in sorted(example.keys() - wanted):
        yield "example", f"env.example: nothing is filled in with {name}"
    for name, value in example.items():
        if value:
            yield "secret", f"env.example: {name} has a value that everybody knows"

    for path in ("deploy/systemd/pelatis.env.example", "deploy/systemd/migrate.env.example"):
        for name in assignments(re.sub(r"^#(?=[A-Z_]+=)", "", tree.read(path), flags=re.MULTILINE)):
            if name not in names:
                yield "unknown", f"{path}: nobody reads {name}"
    for unit in tree.units():
        for line in re.findall(r"^Environment=(.*)$", tree.read(f"deploy/systemd/{unit}"), re.MULTILINE):
            for name in re.findall(r"(\w+)=", line):
                if name not in names:
                    yield "unknown", f"{unit}: nobody reads {name}"
    for line in re.findall(r"^ENV (.*(?:\\\n.*)*)", tree.read("deploy/Containerfile"), re.MULTILINE):
        for name in re.findall(r"(\w+)=", line):
            if name not in names:
                yield "unknown", f"Containerfile: nobody reads {name}"
