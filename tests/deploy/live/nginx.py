"""nginx with deploy/nginx/pelatis.conf, on free ports and with a certificate of its own."""

import os
import re
import signal
import subprocess
from pathlib import Path

from .processes import free_ports, listens, until

CONF = "deploy/nginx/pelatis.conf"
# localhost: a name that the program can look up too, and then finds this machine
API, FILES = "crm.example.com", "localhost"
# What Debian's nginx.conf says around ours: some of it is set twice then, and some of it is weaker than ours.
DEBIAN = """
sendfile on;
tcp_nopush on;
types_hash_max_size 2048;
default_type application/octet-stream;
ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
ssl_prefer_server_ciphers on;
gzip on;
"""


def certificate(folder):
    """A certificate for both names, and its key."""
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={API}",
         "-addext", f"subjectAltName=DNS:{API},DNS:{FILES}", "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
        check=True, capture_output=True,
    )
    return folder / "fullchain.pem"


def program():
    """Debian keeps it out of the PATH of people."""
    places = [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/usr/local/sbin"]
    return next((path for path in (Path(place) / "nginx" for place in places) if os.access(path, os.X_OK)), None)


class Nginx:
    """One nginx, in a folder of its own."""

    def __init__(self, processes, tree, folder, upstream, files_upstream, tls=None):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.http, self.https = free_ports(2)
        self.authority = tls or certificate(self.folder / "tls")
        values = {"PELATIS_HOST": API, "PELATIS_UPSTREAM": upstream, "FILES_HOST": FILES, "FILES_UPSTREAM": files_upstream}
        text = re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], tree.read(CONF))
        text, listening = re.subn(r"(listen (?:\[::\]:)?)(80|443)\b", lambda found: f"{found[1]}{self._port(found[2])}", text)
        assert listening == 10, f"{listening} places where it listens"
        text = text.replace("/etc/nginx/tls/", f"{self.authority.parent}/").replace("/var/log/nginx/", f"{self.folder}/")
        text = text.replace("/var/www/acme", f"{self.folder}/acme")
        (self.folder / "pelatis.conf").write_text(text, encoding="utf-8")
        # as root it would make its workers nobody, who cannot enter this folder
        user = "user root;\n" if os.getuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user}worker_processes 2;\npid {self.folder}/pid;\nerror_log stderr notice;\ndaemon off;\n"
            f"events {{ worker_connections 1024; }}\nhttp {{\n"
            + "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + f"{DEBIAN}include {self.folder}/pelatis.conf;\n}}\n",
            encoding="utf-8",
        )
        challenge = self.folder / "acme/.well-known/acme-challenge"
        challenge.mkdir(parents=True)
        (challenge / "token").write_text("token.thumbprint")
        command = [program(), "-p", self.folder, "-c", self.folder / "nginx.conf"]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0 and "[warn]" not in tested.stderr, f"nginx -t: {tested.stderr}"
        self.process = processes.start("nginx", command, self.folder, {"PATH": "/usr/sbin:/usr/bin:/bin"})
        until("nginx listens", lambda: listens(self.https) or not self.process.is_running())
        assert self.process.is_running(), self.process.text()

    def _port(self, number):
        return self.http if number == "80" else self.https

    def log(self):
        return (self.folder / "access.log").read_text(encoding="utf-8")

    def kept(self):
        """What of bodies it wrote to its disk."""
        return [path for kind in ("client_body", "proxy") for path in (self.folder / kind).rglob("*") if path.is_file()]

    def stop(self):
        """As the compose file does it: what runs is finished."""
        return self.process.stop(signal.SIGQUIT)
