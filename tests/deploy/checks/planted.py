"""Faults that are planted, each of which its rule must find: a rule that finds nothing would pass everything."""

from concurrent.futures import ThreadPoolExecutor

from . import all_faults
from .files import Tree

COMPOSE, CONTAINER, IGNORE = "deploy/compose.yaml", "deploy/Containerfile", ".dockerignore"
ENV, SYSTEMD = "deploy/env.example", "deploy/systemd/"
SERVER, WORKER, MIGRATE = f"{SYSTEMD}pelatis.service", f"{SYSTEMD}pelatis-worker@.service", f"{SYSTEMD}pelatis-migrate.service"

# Rule, file, what stands there, and what is put in its place.
FAULTS = [
    ("yaml", COMPOSE, "services:\n", "services: [\n"),
    ("specification", COMPOSE, "    user: \"101:101\"\n", "    usr: \"101:101\"\n"),
    ("specification", COMPOSE, "networks: [files]", "networks: [filez]"),
    ("specification", COMPOSE, "condition: service_completed_successfully", "condition: service_done"),
    ("restart", COMPOSE, "  restart: unless-stopped\n", ""),
    ("health", COMPOSE, """      test: [CMD, pelatis-health, worker]
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 30s
""", "      disable: true\n"),
    ("pinned", COMPOSE, "seaweedfs:4.48", "seaweedfs:latest"),
    ("pinned", COMPOSE, "image: redis:7.2.11-bookworm", "image: redis"),
    ("version", COMPOSE, "image: pelatis:0.1.0", "image: pelatis:0.0.9"),
    ("grace", COMPOSE, "  stop_grace_period: 60s\n  tmpfs", "  stop_grace_period: 40s\n  tmpfs"),
    ("ports", COMPOSE, "    command: [serve]\n", "    command: [serve]\n    ports: [\"8080:8080\"]\n"),
    ("hardened", COMPOSE, "    command: [worker]\n", "    command: [worker]\n    privileged: true\n"),
    ("hardened", COMPOSE, "  read_only: true\n", ""),
    ("hardened", COMPOSE, "  cap_drop: [ALL]\n", ""),
    ("hardened", COMPOSE, "  security_opt: [\"no-new-privileges:true\"]\n", ""),
    ("hardened", COMPOSE, "cap_add: [CHOWN,", "cap_add: [SYS_ADMIN,"),
    ("limits", COMPOSE, "limits: {cpus: \"1\", memory: 384M, pids: 64}", "limits: {cpus: \"1\", memory: 384M}"),
    ("logs", COMPOSE, "  options: {max-size: 20m, max-file: \"5\"}\n", ""),
    ("secret", COMPOSE, "REDIS_PASSWORD: ${REDIS_PASSWORD:?}", "REDIS_PASSWORD: secret"),
    ("secret", COMPOSE, "redis://:${REDIS_PASSWORD:?}@", "redis://:secret@"),
    ("depends", COMPOSE, "      s3: {condition: service_started}\n", "      s4: {condition: service_started}\n"),
    ("depends", COMPOSE, "migrate: {condition: service_completed_successfully}", "migrate: {condition: service_started}"),
    ("volumes", COMPOSE, "acme:/var/www/acme:ro", "acne:/var/www/acme:ro"),
    ("internal", COMPOSE, "back: {internal: true}", "back: {}"),
    ("internal", COMPOSE, "      files: {}\n", "      files: {}\n      back: {}\n"),
    ("internal", COMPOSE, "    # edge, as it sends mail and fetches files\n    networks: [edge, back]", "    networks: [edge, back, files]"),
    ("proxy", COMPOSE, "172.30.80.10/32", "0.0.0.0/0"),
    ("unknown", COMPOSE, "PELATIS_LISTEN: ", "PELATIS_LISTENS: "),
    ("unknown", COMPOSE, "SMTP_URL: ", "SMTP_ADDRESS: "),
    ("owner", COMPOSE, "PELATIS_LISTEN: 0.0.0.0:8080", "DATABASE_OWNER_URL: postgres://o:${OWNER_PASSWORD:?}@postgres/pelatis"),
    ("agree", COMPOSE, "      PELATIS_LISTEN: 0.0.0.0:8080\n", "      PELATIS_LISTEN: 0.0.0.0:8080\n      PELATIS_DATA_DIR: /elsewhere\n"),
    ("example", COMPOSE, "${PELATIS_MAIL_FROM:-}", "${PELATIS_MAIL_SENDER:-}"),
    ("example", ENV, "PELATIS_MAIL_FROM=\n", "PELATIS_MAIL_FROM=\nMAIL_REPLY_TO=\n"),
    ("secret", ENV, "APP_PASSWORD=\n", "APP_PASSWORD=pelatis\n"),
    ("hadolint", CONTAINER, "WORKDIR /source\n", "RUN cd /source\n"),
    ("stages", CONTAINER, "FROM debian:12.12-slim\n", ""),
    ("pinned", CONTAINER, "debian:12.12-slim", "debian:stable-slim"),
    ("rust", CONTAINER, "rust:1.95.0-", "rust:1.80.0-"),
    ("root", CONTAINER, "USER 10001:10001", "USER root"),
    ("root", CONTAINER, "USER 10001:10001", "USER 0:0"),
    ("health", CONTAINER, 'CMD ["pelatis-health", "live"]', 'CMD ["true"]'),
    ("exec", CONTAINER, 'ENTRYPOINT ["pelatis"]', "ENTRYPOINT pelatis"),
    ("signal", CONTAINER, "STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL"),
    ("volume", CONTAINER, "VOLUME /data\n", ""),
    ("locked", CONTAINER, " --locked", ""),
    ("unknown", CONTAINER, "PELATIS_LISTEN=", "PELATIS_BIND_TO="),
    ("context", IGNORE, "*\n", ""),
    ("context", IGNORE, "!deploy/health", "!deploy"),
    ("context", IGNORE, "!deploy/health\n", ""),
    ("verify", SERVER, "ProtectClock=", "ProtectClocks="),
    ("verify", WORKER, "ExecStart=/usr/local/bin/pelatis worker", "ExecStart=/opt/pelatis worker"),
    ("exposure", SERVER, "SystemCallFilter=~@privileged @resources\n", "PrivateDevices=false\nProtectHome=false\n"),
    ("hardened", MIGRATE, "User=pelatis\n", ""),
    ("hardened", SERVER, "ProtectSystem=strict", "ProtectSystem=full"),
    ("hardened", WORKER, "SystemCallFilter=@system-service\n", ""),
    ("grace", WORKER, "TimeoutStopSec=60", "TimeoutStopSec=40"),
    ("signal", SERVER, "KillSignal=SIGTERM", "KillSignal=SIGKILL"),
    ("restart", SERVER, "Restart=always\n", ""),
    ("key", SERVER, "LoadCredential=", "#LoadCredential="),
    ("secret", SERVER, "Restart=always", "Environment=DATABASE_URL=postgres://pelatis:geheim@db/pelatis\nRestart=always"),
    ("unknown", SERVER, "PELATIS_LOG_FORMAT=", "PELATIS_LOGS="),
    ("unknown", f"{SYSTEMD}pelatis.env.example", "#REDIS_URL=", "#REDIS_ADDRESS="),
    ("unknown", f"{SYSTEMD}migrate.env.example", "DATABASE_OWNER_URL=", "OWNER_URL="),
]


def unnoticed(left_out=()):
    """The planted faults that their rules do not find."""
    planted = [fault for fault in FAULTS if fault[0] not in left_out]
    # most of the time goes to programs that are waited for
    with ThreadPoolExecutor(max_workers=3) as pool:
        return [said for said in pool.map(_said_of, planted) if said]


def _said_of(fault):
    rule, path, old, new = fault
    found = {name for name, _ in all_faults(Tree().with_fault(path, old, new), path)}
    if rule not in found:
        return f"{path}: {old!r} as {new!r} is not found by the rule {rule!r}, but by {sorted(found) or 'none'}"
    return None
