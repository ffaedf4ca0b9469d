"""A server of one's own, set up as its first users would do it: over HTTP, with the code that it prints.

    with Installation(program, folder, database) as installation:
        installation.admin.post("/v1/clients", {...})

It knows nothing of the test that uses it, and ends the process that it started.
"""

import json
import os
import re
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

WORKSPACE = "athens"
# A proxy of the machine has no business with a server on it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What a caller may do must not run out in the middle of a test, and nobody waits for a colleague's password to be hashed.
SETTINGS = {
    "PELATIS_LISTEN": "127.0.0.1:0",
    "PELATIS_LOG": "warn",
    "PELATIS_LOG_FORMAT": "json",
    "PELATIS_RATE_LIMIT_PER_MINUTE": "1000000",
    "PELATIS_BULK_PER_MINUTE": "10000",
    "PELATIS_LOGIN_ATTEMPTS": "1000",
    "PELATIS_ACCESS_TOKEN_MINUTES": "1440",
    "PELATIS_UPLOADS_PER_MINUTE": "10000",
}


class Caller:
    """Somebody who calls: with a bearer token, or without."""

    def __init__(self, base, token=None, user_id=None, email=None, refresh_token=None):
        self.base = base
        self.token = token
        self.user_id = user_id
        self.email = email
        self.refresh_token = refresh_token

    def send(self, method, path, body=None):
        return self.send_as(method, path, "application/json", None if body is None else json.dumps(body).encode())

    def upload(self, name, content, to="/v1/files", **members):
        """A file of text or bytes, with what is said of it."""
        parts = [f'--pelatis\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in members.items()]
        parts.append(f'--pelatis\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
        body = "".join(parts).encode() + (content if isinstance(content, bytes) else content.encode()) + b"\r\n--pelatis--\r\n"
        return self.send_as("POST", to, "multipart/form-data; boundary=pelatis", body)

    def send_as(self, method, path, content_type, data):
        headers = {"content-type": content_type}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        try:
            with DIRECT.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            raise RuntimeError(f"{method} {path} was answered {refused.code}: {refused.read().decode()}") from None
        return json.loads(text) if text else None

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, body=None):
        return self.send("POST", path, body)


class Installation:
    """The server, from its start to its end, and its first administrator."""

    def __init__(self, program, folder, database=None):
        self.program = str(program)
        self.folder = Path(folder)
        self.output = self.folder / "server.log"
        self.password = f"{secrets.token_urlsafe(18)}-Φ9"
        data = self.folder / "data"
        # of the caller's environment nothing is taken over: it must not decide what is tested
        self.settings = {**SETTINGS, "HOME": str(self.folder), "PELATIS_DATA_DIR": str(data)}
        self.settings["DATABASE_URL"] = database or f"sqlite:{data}/pelatis.db"
        if database:
            self.settings["DATABASE_OWNER_URL"] = database
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [self.program, "serve"], cwd=self.folder, env=self.settings, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_running(self):
        return self.process.poll() is None

    def _printed(self, pattern):
        for _ in range(600):
            found = re.search(pattern, self.output.read_text(errors="replace"), re.MULTILINE)
            if found:
                return found[1]
            if not self.is_running():
                break
            time.sleep(0.05)
        raise RuntimeError(f"the server did not print {pattern!r}:\n{self.output.read_text(errors='replace')[-2000:]}")

    def _set_up(self):
        self.base = self._printed(r"listens on (http://\S+) .*\n")
        code = self._printed(r"^Set-up code: (\S+)\n")
        Caller(self.base).post("/v1/setup", {
            "code": code, "email": "maria@example.com", "password": self.password, "given_name": "Μαρία", "family_name": "Παπά",
            "workspace": {"slug": WORKSPACE, "name": "Αθήνα"},
        })
        self.admin = self.sign_in("maria@example.com")

    def sign_in(self, email):
        tokens = Caller(self.base).post("/v1/auth/login", {"email": email, "password": self.password, "kind": "app"})
        return Caller(self.base, tokens["access_token"], tokens["user"]["id"], email, tokens["refresh_token"])

    def member(self, email, role):
        """Invites somebody, accepts with the token of the mail, and signs in."""
        self.admin.post("/v1/invitations", {"email": email, "role": role, "given_name": "Νίκος", "family_name": "Γεωργίου"})
        token = self.invitation_tokens(email)[-1]
        Caller(self.base).post("/v1/auth/accept-invitation", {"token": token, "password": self.password})
        return self.sign_in(email)

    def contact(self, email, client):
        """A contact of a client, invited to the portal and signed in."""
        contact = self.admin.post("/v1/contacts", {"given_name": "Ελένη", "emails": [{"kind": "work", "address": email}]})["id"]
        self.admin.post(f"/v1/clients/{client}/contacts", {"contact_id": contact})
        access = {"client_id": client, "permissions": ["invoices", "company_profile"]}
        self.admin.post(f"/v1/contacts/{contact}/portal/invitation", {"clients": [access]})
        token = self.invitation_tokens(email)[-1]
        Caller(self.base).post("/v1/portal/set-password", {"token": token, "password": self.password})
        return self.sign_in_to_portal(email)

    def sign_in_to_portal(self, email):
        credentials = {"workspace": WORKSPACE, "email": email, "password": self.password, "kind": "app"}
        tokens = Caller(self.base).post("/v1/portal/login", credentials)
        return Caller(self.base, tokens["access_token"], tokens["contact_id"], email, tokens["refresh_token"])

    def invitation_tokens(self, to):
        """The tokens in the mails to addresses that begin so, oldest first."""
        mail = subprocess.run(
            [self.program, "mail"], cwd=self.folder, env=self.settings, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=True,
        ).stdout
        # a mail begins with its time, its kind and its address
        return re.findall(rf"^\S[^\n]*  to {re.escape(to)}.*?\b(pli_\S+)", mail, re.MULTILINE | re.DOTALL)

    def token(self, caller, scopes):
        """An API token of a caller."""
        made = caller.post("/v1/tokens", {"name": "contract", "scopes": scopes})
        return Caller(self.base, made["secret"], caller.user_id, caller.email), made["id"]


def program():
    """The built program: PELATIS_BIN, or where cargo puts it."""
    named = os.environ.get("PELATIS_BIN")
    return Path(named) if named else Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve() / "debug" / "pelatis"
