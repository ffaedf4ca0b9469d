"""A mail server with a mailbox, for the tests: it takes mail after STARTTLS and AUTH alone, under a certificate of its own authority.

    mail_server.py FOLDER [PORT]    makes FOLDER/ca.pem and FOLDER/box (a Maildir), prints the port, and serves until its input ends

Addresses that begin with "nobody" do not exist.
"""
import asyncio
import pathlib
import ssl
import subprocess
import sys

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"pelatis@crm.example", b"p:ss w\xc3\xb6rd"


def certificates(folder):
    if (folder / "cert.pem").exists():
        return
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for arguments in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests", "-days", "2",
         "-addext", "basicConstraints=critical,CA:TRUE"],
        ["req", *key, "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
         "-extfile", "names", "-out", "cert.pem"],
    ):
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Handler(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=right, handled=False)


async def serve(folder, port):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    handler = Handler(str(folder / "box"))

    def session():
        return SMTP(handler, hostname="mailbox.example", tls_context=context, require_starttls=True, auth_required=True,
                    auth_require_tls=True, authenticator=authenticate)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    # whoever started it has gone when its input ends
    await loop.run_in_executor(None, sys.stdin.read)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    certificates(folder)
    asyncio.run(serve(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 0))


main()
