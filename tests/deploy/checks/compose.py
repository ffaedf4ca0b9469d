"""deploy/compose.yaml: the specification of compose, and what this project asks of itself beyond it."""

import json
import re

import yaml
from compose_spec import PyCompose

from .interpolation import fill_in, parsed, variables

FILE = "deploy/compose.yaml"
# The one service that is reached from outside.
PUBLISHED = "nginx"
# What the image's own start needs, where it begins as root. Nobody else is given any of it.
STARTS_AS_ROOT = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
# A version down to its last number, and what it is built on.
PINNED = re.compile(r"^[a-z0-9./-]+:\d+(\.\d+)+(-[a-z0-9.]+)?$")
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY)$")


def seconds(duration):
    """`1m30s` or `40s` as seconds."""
    parts = re.findall(r"(\d+)(m|s)", duration)
    return sum(int(number) * (60 if unit == "m" else 1) for number, unit in parts)


def faults(tree):
    text = tree.read(FILE)
    try:
        document = parsed(text)
    except yaml.YAMLError as error:
        yield "yaml", str(error)
        return
    names, _ = variables(text)
    try:
        specification = PyCompose.from_json(json.dumps(fill_in(document, dict.fromkeys(names, "a.example"))))
        specification.validate()
    except ValueError as error:
        yield "specification", str(error)
        return
    services = document["services"]
    for name, service in services.items():
        for rule, what in _service(name, service, document, tree):
            yield rule, f"{name}: {what}"
    yield from _networks(document)


def _service(name, service, document, tree):
    once = service.get("restart") == "no"
    if not once and service.get("restart") != "unless-stopped":
        yield "restart", "is not started again"
    if not once and not service.get("healthcheck", {}).get("test"):
        yield "health", "has no health check"
    if not PINNED.match(service.get("image", "")):
        yield "pinned", f"the image is not pinned: {service.get('image')}"
    if "build" in service:
        version = re.search(r'^version = "(.+)"', tree.read("Cargo.toml"), re.MULTILINE)[1]
        if service["image"] != f"pelatis:{version}":
            yield "version", f"the image {service['image']} is not of version {version}"
        if seconds(service.get("stop_grace_period", "10s")) < 50:
            yield "grace", "is killed before what runs has had its 30 s and it has taken leave"
    if "ports" in service and name != PUBLISHED:
        yield "ports", "publishes a port"
    if service.get("network_mode") or service.get("privileged") or "devices" in service:
        yield "hardened", "is let out of its container"
    if not service.get("read_only"):
        yield "hardened", "can write to its image"
    if service.get("cap_drop") != ["ALL"]:
        yield "hardened", "keeps capabilities"
    if not set(service.get("cap_add", [])) <= STARTS_AS_ROOT:
        yield "hardened", "is given capabilities that it needs none of"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "hardened", "may gain privileges"
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    if not {"cpus", "memory", "pids"} <= limits.keys():
        yield "limits", "has no limits of processor, memory and processes"
    if service.get("logging", {}).get("options", {}).keys() < {"max-size", "max-file"}:
        yield "logs", "its logs fill the disk"
    for key, value in service.get("environment", {}).items():
        if SECRET_NAME.search(key) and not str(value).startswith("${"):
            yield "secret", f"{key} stands in the file"
        if re.search(r"://[^:/@]*:(?!\$\{)[^/@]+@", str(value)):
            yield "secret", f"{key} has a password in its address"
    for needed, how in service.get("depends_on", {}).items():
        other = document["services"].get(needed)
        if other is None:
            yield "depends", f"waits for {needed}, which is no service"
        elif how["condition"] == "service_completed_successfully" and other.get("restart") != "no":
            yield "depends", f"waits for the end of {needed}, which has none"
        elif how["condition"] == "service_healthy" and not other.get("healthcheck", {}).get("test"):
            yield "depends", f"waits for the health of {needed}, which has no check"
        elif other.get("restart") == "no" and how["condition"] != "service_completed_successfully":
            yield "depends", f"does not wait for the end of {needed}"
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("."):
            continue
        if source not in document.get("volumes", {}):
            yield "volumes", f"{source} is no volume"


def _networks(document):
    """Databases and storage have no way in or out, and what is trusted as a proxy is the proxy."""
    services, networks = document["services"], document["networks"]
    for name in ("postgres", "redis", "s3"):
        for network in services[name]["networks"]:
            if not (networks[network] or {}).get("internal"):
                yield "internal", f"{name}: the network {network} leads outside"
    for name, service in services.items():
        if name not in ("s3", PUBLISHED) and set(service["networks"]) & set(services["s3"]["networks"]):
            yield "internal", f"{name}: reaches the ports of S3 that ask nobody who they are"
    if set(services[PUBLISHED]["networks"]) & set(services["postgres"]["networks"]):
        yield "internal", f"{PUBLISHED}: reaches the database"
    trusted = services["server"]["environment"].get("PELATIS_TRUSTED_PROXIES")
    address = services[PUBLISHED]["networks"]["edge"].get("ipv4_address")
    if trusted != f"{address}/32":
        yield "proxy", f"server: trusts {trusted}, and the proxy is {address}"
