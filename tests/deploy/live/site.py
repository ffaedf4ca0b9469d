"""The processes of the compose file, without containers: each service's own command and environment, with nothing changed but addresses
and paths. PostgreSQL asks for passwords, as the image does."""

import json
import os
import re
import secrets
import signal
import subprocess
from pathlib import Path

from checks.files import ROOT, Tree, assignments
from checks.interpolation import fill_in, parsed

from .client import Client
from .nginx import API, CONF, FILES, Nginx
from .processes import Processes, free_ports, listens, until

PASSWORD = f"{secrets.token_urlsafe(18)}-Φ9"


class Site:
    """What the compose file says, and where its services are here."""

    def __init__(self, processes, tree, folder, program, weed, postgres):
        self.processes, self.tree, self.folder, self.program, self.weed = processes, tree, Path(folder), program, weed
        self.folder.mkdir(parents=True)
        self.postgres = postgres.rsplit(":", 1)[1]
        self.redis, self.s3, self.server = free_ports(3)
        names = assignments(tree.read("deploy/env.example"))
        # whoever fills it in gives each its own
        self.values = {name: secrets.token_hex(24) for name in names if re.search(r"PASSWORD$|SECRET", name)}
        self.values |= {"PELATIS_HOST": API, "FILES_HOST": FILES}
        self.services = fill_in(parsed(tree.read("deploy/compose.yaml")), self.values)["services"]
        self.key = self.folder / "pelatis.key"
        self.key.write_text(f"{secrets.token_hex(32)}\n")
        self.key.chmod(0o600)
        self.https = None

    def environment(self, service):
        """What the container would be given, with addresses and paths of this machine."""
        places = [
            ("postgres:5432", f"127.0.0.1:{self.postgres}"), ("redis:6379", f"127.0.0.1:{self.redis}"), ("0.0.0.0:8080", f"127.0.0.1:{self.server}"),
            (f"@{FILES}/", f"@{FILES}:{self.https}/"), ("/run/secrets/pelatis_key", str(self.key)), ("172.30.80.10/32", "127.0.0.1/32"),
        ]
        given = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        for name, value in self.services[service].get("environment", {}).items():
            for theirs, ours in places:
                value = value.replace(theirs, ours)
            # each container has /data; of what lies there here, server and worker must not need each other's
            given[name] = str(self.folder / f"data-{service}") if value == "/data" else value
        return given

    def run(self, service, more=None):
        """Starts a service of the program's image."""
        environment = {**self.environment(service), **(more or {})}
        # the image's own
        environment.setdefault("PELATIS_DATA_DIR", str(self.folder / f"data-{service}"))
        return self.processes.start(service, [self.program, *self.services[service]["command"]], self.folder, environment)

    def start_redis(self):
        [script] = self.services["redis"]["command"]
        home = self.folder / "redis"
        home.mkdir(exist_ok=True)
        script = script.replace("/tmp", str(home)).replace("port 6379", f"port {self.redis}\\nbind 127.0.0.1")
        started = self.processes.start("redis", [*self.services["redis"]["entrypoint"], script], self.folder, self.environment("redis"))
        started.says("Ready to accept connections")
        return started

    def start_s3(self):
        home = self.folder / "s3"
        home.mkdir(exist_ok=True)
        kinds = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "admin") for kind in ("", ".grpc")] + ["s3.port.grpc"]
        ports = [f"-{kind}={port}" for kind, port in zip(kinds, free_ports(len(kinds)))]
        command = [part.replace("=/data", f"={home}") for part in self.services["s3"]["command"]]
        started = self.processes.start(
            "s3", [self.weed, *command, "-ip.bind=127.0.0.1", f"-s3.port={self.s3}", *ports], self.folder, self.environment("s3")
        )
        until("S3 listens", lambda: listens(self.s3) or not started.is_running())
        assert started.is_running(), started.text()[-2000:]
        return started

    def make_database(self):
        """Passwords are asked for, and the roles made by the script that the image of PostgreSQL runs."""
        self.sql("DROP DATABASE IF EXISTS pelatis WITH (FORCE)")
        self.sql("DROP ROLE IF EXISTS pelatis_owner, pelatis_app")
        settings = Path(self.sql("SHOW hba_file"))
        # for the script as in the image: its superuser comes by a socket and needs none
        settings.write_text("host pelatis all 127.0.0.1/32 scram-sha-256\n" + settings.read_text())
        self.sql("SELECT pg_reload_conf()")
        given = {**self.environment("postgres"), "PGHOST": "127.0.0.1", "PGPORT": self.postgres}
        script = self.folder / "roles.sh"
        script.write_text(self.tree.read("deploy/postgres/roles.sh"))
        made = subprocess.run(["bash", script], env=given, capture_output=True, text=True, check=False)
        assert made.returncode == 0, f"roles.sh: {made.stderr}"

    def sql(self, text, database="postgres", password=None):
        """What PostgreSQL says to its superuser, who comes without a password to every database but that of Pelatis."""
        given = {"PATH": os.environ["PATH"], "PGPASSWORD": password or ""}
        said = subprocess.run(
            ["psql", "-XAtq", "-h", "127.0.0.1", "-p", self.postgres, "-U", "postgres", "-d", database, "-c", text],
            env=given, capture_output=True, text=True, check=False,
        )
        assert said.returncode == 0, f"{text}: {said.stderr}"
        return said.stdout.strip()

    def health(self, process, service):
        """The service's health check, as the compose file has it; for a worker with the number of its process."""
        kind, name, *arguments = self.services[service]["healthcheck"]["test"]
        assert (kind, name) == ("CMD", "pelatis-health"), f"{service}: {kind} {name}"
        if arguments == ["worker"]:
            arguments.append(str(process.pid))
        return subprocess.run([ROOT / "deploy/health", *arguments], env=self.environment(service), capture_output=True, check=False).returncode


def run(program, weed, postgres, folder, tree=Tree()):
    """Starts all of it, works with it, takes parts of it away, and stops it; fails where anything is not as promised."""
    with Processes() as processes:
        site = Site(processes, tree, folder, program, weed, postgres)
        site.make_database()
        redis = site.start_redis()
        s3 = site.start_s3()
        nginx = Nginx(processes, tree, site.folder / "nginx", f"127.0.0.1:{site.server}", f"127.0.0.1:{site.s3}")
        site.https = nginx.https

        migrated = site.run("migrate").child.wait(120)
        assert migrated == 0, f"migrate ended with {migrated}"
        # the certificate of a real site is one that every machine knows
        trusted = {"SSL_CERT_FILE": str(nginx.authority)}
        # as in the compose file, one after the other
        server = site.run("server", trusted)
        server.says("listens on http://")
        worker = site.run("worker", trusted)
        worker.says("works jobs")
        for service, process in (("server", server), ("worker", worker)):
            until(f"the health check of {service} passes", lambda service=service, process=process: site.health(process, service) == 0, 10)
            assert "does nothing" not in process.text(), f"{service}: a name that nobody reads: {process.text()}"

        anybody = Client(nginx.https, API, nginx.authority)
        admin = _set_up(anybody, server)
        _database_is_walled(site)
        _ready(site, "healthy")
        _files(admin, nginx)
        _job(site, admin)
        _runbook(site, admin)
        _parts_away(site, admin, redis, s3)
        _database_away(site, admin)
        _stop(site, nginx, server, worker)


def _set_up(anybody, server):
    code = until("a set-up code", lambda: re.search(r"^Set-up code: (\S+)$", server.text(), re.MULTILINE))[1]
    made = anybody.post("/v1/setup", {
        "code": code, "email": "maria@example.com", "password": PASSWORD, "given_name": "Μαρία", "family_name": "Παπά",
        "workspace": {"slug": "athens", "name": "Αθήνα"},
    })
    assert made.status == 201, made.body
    tokens = anybody.post("/v1/auth/login", {"email": "maria@example.com", "password": PASSWORD, "kind": "app"})
    assert tokens.status == 200, tokens.body
    anybody.token = tokens.json()["access_token"]
    return anybody


def _database_is_walled(site):
    """The owner owns, the server's role owns nothing, and neither comes in without its password."""
    given = {"PATH": os.environ["PATH"]}

    def as_role(role, password, text):
        return subprocess.run(
            ["psql", "-XAtq", "-h", "127.0.0.1", "-p", site.postgres, "-U", role, "-d", "pelatis", "-c", text],
            env={**given, "PGPASSWORD": password}, capture_output=True, text=True, check=False,
        )

    count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner {} 'pelatis_owner'"
    owner = site.values["OWNER_PASSWORD"]
    assert int(as_role("pelatis_owner", owner, count.format("=")).stdout) > 20
    assert as_role("pelatis_owner", owner, count.format("<>")).stdout.strip() == "0"
    for role in ("pelatis_owner", "pelatis_app"):
        assert "password authentication failed" in as_role(role, "guessed", "SELECT 1").stderr, role
    refused = as_role("pelatis_app", site.values["APP_PASSWORD"], "CREATE TABLE mine (id int)")
    assert "permission denied" in refused.stderr, refused
    roles = site.sql("SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolname LIKE 'pelatis%' AND (rolsuper OR rolbypassrls)")
    assert roles == "", f"these roles escape row security: {roles}"


def _services(site):
    said = subprocess.run(
        [ROOT / "deploy/health", "ready", f"127.0.0.1:{site.server}"], capture_output=True, text=True, check=False, timeout=20
    )
    return said.returncode, json.loads(said.stdout)


def _ready(site, status, **services):
    """Waits until the server says this of itself and of these services."""

    def is_so():
        code, health = _services(site)
        found = {service["name"]: service["status"] for service in health["services"]}
        return code == 0 and health["status"] == status and all(found.get(name) == wanted for name, wanted in services.items()) and found

    found = until(f"/health/ready is {status} with {services}", is_so, 20)
    assert {"database", "redis", "queue", "storage"} <= found.keys(), found


def upload(admin, name, content):
    head = f'--pelatis\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return admin.send("POST", "/v1/files", head + content + b"\r\n--pelatis--\r\n", {"Content-Type": "multipart/form-data; boundary=pelatis"})


def _files(admin, nginx):
    """A file goes to S3, and the link to it through nginx leads there; what is not signed, or not as it was signed, is refused."""
    content = "Αθήνα, ".encode() * 200_000
    made = upload(admin, "athens.txt", content)
    assert made.status == 201, made.body
    file = made.json()
    assert file["storage_bucket"] == "pelatis", file
    assert admin.get(f"/v1/files/{file['id']}/content").body == content, "it came back as something else"
    link = admin.post(f"/v1/files/{file['id']}/links", {})
    assert link.status == 201, link.body
    start = f"https://{FILES}:{nginx.https}"
    assert link.json()["url"].startswith(f"{start}/pelatis/"), link.json()
    path = link.json()["url"].removeprefix(start)
    browser = Client(nginx.https, FILES, nginx.authority)
    there = {"Host": f"{FILES}:{nginx.https}"}
    followed = browser.send("GET", path, headers=there)
    assert (followed.status, followed.body == content) == (200, True), (followed.status, followed.body[:300])
    assert followed.header("content-disposition").startswith("attachment"), followed.headers
    assert followed.header("x-content-type-options") == "nosniff" and "sandbox" in followed.header("content-security-policy"), followed.headers
    part = browser.send("GET", path, headers={**there, "Range": "bytes=14-27"})
    assert (part.status, part.body) == (206, content[14:28]), (part.status, part.body)
    unsigned = browser.send("GET", path.split("?")[0], headers=there)
    assert unsigned.status == 403 and unsigned.header("content-type") == "text/html", "what is not signed gets to S3"
    other = path.replace("X-Amz-Signature=", "X-Amz-Signature=" + "0" * 64 + "&was=")
    refused = browser.send("GET", other, headers=there)
    assert refused.status == 403 and b"SignatureDoesNotMatch" in refused.body, (refused.status, refused.body[:300])


def put_noop(site, state):
    """A job that does nothing, as the program's `noop` is, put where a transaction would put it; `waiting`, or `dead`."""
    is_due, finished = ("true", "NULL") if state == "waiting" else ("false", "now()")
    job = site.sql(
        "INSERT INTO job (id, version, created_at, updated_at, queue, kind, payload, state, is_due, run_at, attempt, failures, max_attempts,"
        " lost, progress, is_cancelled, finished_at) VALUES (gen_random_uuid(), 1, now(), now(), 'maintenance', 'noop', '{}',"
        f" '{state}', {is_due}, now(), 0, 0, 3, 0, 0, false, {finished}) RETURNING id; SELECT pg_notify('pelatis_job', '')",
        "pelatis", site.superuser,
    )
    return job.split()[0]


def is_done(admin, job):
    listed = admin.get(f"/v1/admin/jobs/{job}")
    return listed.status == 200 and listed.json()["state"] == "done"


def _job(site, admin):
    """The worker does a job; the server, which is told not to, has none."""
    site.superuser = site.services["postgres"]["environment"]["POSTGRES_PASSWORD"]
    site.sql(f"ALTER ROLE postgres PASSWORD '{site.superuser}'")
    assert site.sql("SELECT count(*) FROM job_worker", "pelatis", site.superuser) == "1", "more than the one worker works"
    job = put_noop(site, "waiting")
    until("the worker has done the job", lambda: is_done(admin, job), 10)


def _runbook(site, admin):
    """Every block that is marked runs as it stands, with what its head says is set."""
    text = site.tree.read("deploy/runbook.md")
    blocks = re.findall(r"^```sh checked\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 10, f"{len(blocks)} blocks are marked"
    home = site.folder / "bin"
    home.mkdir()
    (home / "pelatis").symlink_to(site.program)
    job = put_noop(site, "dead")
    given = {**site.environment("server"), "SERVER": f"http://127.0.0.1:{site.server}", "TOKEN": admin.token, "JOB": job}
    given["PATH"] = f"{home}:{given['PATH']}"
    given["DATABASE_OWNER_URL"] = site.environment("migrate")["DATABASE_OWNER_URL"]
    for block in blocks:
        # where curl is to show what was answered, the test wants it to be an answer of success
        script = "set -euo pipefail\ncurl() { command curl --fail \"$@\"; }\n" + block
        ran = subprocess.run(["bash", "-c", script], cwd=site.folder, env=given, capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, f"this block of the runbook ends with {ran.returncode}:\n{block}{ran.stderr}{ran.stdout}"
        if "/retry" in block:
            until("the dead job was done", lambda: is_done(admin, job), 10)
    assert admin.get(f"/v1/admin/jobs/{job}").status == 404, "the job was not thrown away"
    assert admin.get("/v1/clients").status == 200, "the token of the key before is refused"


def _parts_away(site, admin, redis, s3):
    """Without Redis and without S3 it serves, says what is degraded, and takes them back without a new start."""
    redis.stop()
    _ready(site, "degraded", redis="degraded", database="healthy")
    assert admin.get("/v1/clients").status == 200
    site.start_redis()
    _ready(site, "healthy", redis="healthy")
    s3.stop(seconds=10)
    _ready(site, "degraded", storage="degraded")
    upload(admin, "lost.txt", b"lost").problem(503, "storage_unavailable")
    assert admin.get("/v1/clients").status == 200
    site.start_s3()
    _ready(site, "healthy", storage="healthy")
    again = upload(admin, "again.txt", b"again")
    assert again.status == 201, again.body


def _database_away(site, admin):
    """Without its database it says so, and goes on with it, as the worker does, without a new start."""
    data = Path(site.sql("SHOW data_directory"))
    os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGINT)
    until("PostgreSQL has stopped", lambda: not (data / "postmaster.pid").exists())

    def is_down():
        code, health = _services(site)
        return code != 0 and health["status"] == "down"

    until("/health/ready is down", is_down)
    assert subprocess.run([ROOT / "deploy/health", "live"], env=site.environment("server"), check=False).returncode == 0, "it is not alive"
    admin.get("/v1/clients").problem(503, "unavailable")
    subprocess.run([ROOT / "tests/services", "revive", data.parent], check=True)
    _ready(site, "healthy")
    assert admin.get("/v1/clients").status == 200, "it does not go on"
    job = put_noop(site, "waiting")
    until("the worker goes on", lambda: is_done(admin, job), 20)


def _stop(site, nginx, server, worker):
    """All stop by themselves and well; a worker that is gone is seen by its health check."""
    for name, process in (("nginx", nginx.process), ("worker", worker), ("server", server)):
        ended = nginx.stop() if name == "nginx" else process.stop()
        assert ended == 0, f"{name} ended with {ended}: {process.text()[-1000:]}"
    assert site.health(worker, "worker") != 0 and site.health(server, "server") != 0, "what is gone passes its health check"
    secret_values = [value for name, value in site.values.items() if name not in ("PELATIS_HOST", "FILES_HOST")]
    for process in (server, worker):
        assert not [value for value in secret_values if value in process.text()], f"{process.name} logs a secret"


COMPOSE = "deploy/compose.yaml"
# What stands in a file, what breaks the site, and a word of what is said then.
BREAKING = [
    (COMPOSE, 'PELATIS_WORKER: "false"', 'PELATIS_WORKER: "true"', "more than the one worker"),
    (COMPOSE, "redis://:${REDIS_PASSWORD:?}@", "redis://:${S3_SECRET_KEY:?}@", "/health/ready is healthy"),
    (COMPOSE, "DATABASE_OWNER_URL: postgres://pelatis_owner:${OWNER_PASSWORD:?}@", "DATABASE_OWNER_URL: postgres://pelatis_app:${APP_PASSWORD:?}@", "migrate"),
    (COMPOSE, "PELATIS_SECRET_KEY_FILE: /run", "PELATIS_SECRET_FILE: /run", "not sealed with the installation's secret"),
    (CONF, "if ($pelatis_signed = no)", "if ($pelatis_signed = never)", "not signed gets to S3"),
    (CONF, "proxy_set_header Host $http_host;", "proxy_set_header Host $host;", "/health/ready is healthy"),
    ("deploy/postgres/roles.sh", "NOCREATEDB CREATEROLE", "NOCREATEDB NOCREATEROLE", "migrate"),
    ("deploy/runbook.md", "pelatis check-config", "pelatis check-configuration", "this block of the runbook"),
]


def unnoticed(program, weed, postgres, folder):
    """The planted faults that the site works with all the same, or that something else is said of."""
    found = []
    Path(folder).mkdir()
    for number, (path, old, new, word) in enumerate(BREAKING):
        try:
            run(program, weed, postgres, Path(folder) / str(number), Tree().with_fault(path, old, new))
        except AssertionError as error:
            if word in str(error):
                continue
            found.append(f"{path}: {old!r} as {new!r} is told as: {error}")
        else:
            found.append(f"{path}: {old!r} as {new!r} is not found")
    return found
