"""What nginx with our file promises, before the real program on SQLite; each promise a function of a Front that fails where it is broken."""

import gzip
import hashlib
import http.client
import json
import socket
import ssl
import time

from .client import Answer, Client
from .nginx import API
from .processes import until

BOUNDARY = "pelatis"
MEBI = 1024 * 1024


class Front:
    """nginx, and the installation that it stands before."""

    def __init__(self, nginx, installation):
        self.nginx, self.installation = nginx, installation

    def client(self, name=API, source="127.0.0.1", token=None):
        return Client(self.nginx.https, name, self.nginx.authority, source, token)

    def admin(self, source="127.0.0.1"):
        return self.client(source=source, token=self.installation.admin.token)


def headers_are_there_once(front):
    """Those of the server once, those of nginx added; on answers of both."""
    live = front.client().get("/health/live")
    assert (live.status, live.json()) == (200, {"status": "healthy"}), live.body
    for answer in (live, front.client().get("/metrics")):
        assert answer.header("strict-transport-security").startswith("max-age=63072000"), answer.headers
        for name, value in (
            ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ):
            assert answer.header(name) == value, f"{name}: {answer.header(name)}"
        assert "default-src 'none'" in answer.header("content-security-policy"), answer.headers
        assert answer.header("server") in (None, "nginx"), "it tells its version"


def plain_http_leads_to_tls(front):
    """A redirect that keeps method and path, and the one folder for certificates."""
    for host, path, status, where in (
        (API, "/v1/clients?q=a%20b", 308, f"https://{API}/v1/clients?q=a%20b"), (API, "/.well-known/acme-challenge/token", 200, None),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", front.nginx.http, timeout=10)
        connection.request("POST" if status == 308 else "GET", path, b"", {"Host": host})
        response = connection.getresponse()
        answer = Answer(response, response.read())
        connection.close()
        assert (answer.status, answer.header("location")) == (status, where), (answer.status, answer.headers)


def unknown_names_get_nothing(front):
    """Neither an answer nor a certificate."""
    connection = http.client.HTTPConnection("127.0.0.1", front.nginx.http, timeout=10)
    connection.request("GET", "/", headers={"Host": "elsewhere.example"})
    try:
        answered = connection.getresponse().status
    except (http.client.RemoteDisconnected, ConnectionResetError):
        answered = None
    connection.close()
    assert answered is None, f"an unknown name was answered {answered}"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", front.nginx.https), 10) as plain:
            context.wrap_socket(plain, server_hostname="elsewhere.example").close()
        shaken = True
    except (ssl.SSLError, ConnectionError):
        shaken = False
    assert not shaken, "an unknown name was given a certificate"


def old_tls_is_refused(front):
    """TLS 1.2 and 1.3 alone, and HTTP/2 for whoever asks for it."""

    def shake(version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(str(front.nginx.authority))
        # this side must be willing, or it would be the one that refuses
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection(("127.0.0.1", front.nginx.https), 10) as plain:
            with context.wrap_socket(plain, server_hostname=API) as shaken:
                return shaken.version(), shaken.selected_alpn_protocol()

    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        assert shake(version) == (name, "h2"), shake(version)
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        try:
            shaken = shake(version)
        except ssl.SSLError as error:
            assert error.reason == "TLSV1_ALERT_PROTOCOL_VERSION", error.reason
        else:
            raise AssertionError(f"it speaks {shaken[0]}")


def form(content):
    """A form with a file of text: what stands before it, and after."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="lines.txt"\r\nContent-Type: text/plain\r\n\r\n'
    return head.encode(), f"\r\n--{BOUNDARY}--\r\n".encode(), len(head) + len(content) + len(BOUNDARY) + 8


def lines(size):
    """Text of so many bytes that does not repeat itself."""
    text = b"".join(hashlib.sha256(str(number).encode()).hexdigest().encode() + b"\n" for number in range(size // 65 + 1))
    return text[:size]


def files_stream_both_ways(front):
    """40 MB reach the server while they are still being sent, none of it lies on nginx's disk, and they come back whole and in part."""
    content = lines(40 * MEBI)
    head, tail, length = form(content)
    admin = front.admin()
    connection = admin.connection()
    connection.putrequest("POST", "/v1/files", skip_host=True, skip_accept_encoding=True)
    more = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length), "Idempotency-Key": str(time.time_ns())}
    for name, value in admin.headers(more).items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(head + content[: 24 * MEBI])
    spool = front.installation.folder / "data/spool"

    def has_come():
        return sum(path.stat().st_size for path in spool.rglob("*") if path.is_file()) > 16 * MEBI

    until("the first half is at the server while the second is not sent", has_come, 8)
    assert not front.nginx.kept(), "nginx keeps the body on its disk"
    connection.send(content[24 * MEBI :] + tail)
    response = connection.getresponse()
    made = Answer(response, response.read())
    connection.close()
    assert made.status == 201, made.body[:500]
    file = made.json()
    assert file["filesize_bytes"] == len(content), file
    path = f"/v1/files/{file['id']}/content"
    part = admin.get(path, Range="bytes=1000000-1000099")
    assert (part.status, part.header("content-range")) == (206, f"bytes 1000000-1000099/{len(content)}"), part.headers
    assert part.body == content[1000000:1000100], "it is another part"
    whole = admin.get(path, Accept_Encoding="gzip")
    assert whole.status == 200 and whole.header("content-encoding") is None, whole.headers
    assert hashlib.sha256(whole.body).digest() == hashlib.sha256(content).digest(), "it came back as something else"
    assert not front.nginx.kept(), "nginx keeps the download on its disk"


def the_server_sees_the_client(front):
    """The address that nginx sees, whatever the client says of itself."""
    name = f"Seen {time.time_ns()}"
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    made = front.admin(source="127.0.0.7").post("/v1/clients", {"kind": "company", "name": name}, **forged)
    assert made.status == 201, made.body
    entries = front.admin().get(f"/v1/clients/{made.json()['id']}/audit").json()["data"]
    assert [entry["ip"] for entry in entries] == ["127.0.0.7"], entries


def floods_are_refused(front):
    """One address that asks without end is answered 429, and nobody else is."""
    flooding = front.client(source="127.0.0.8")
    connection = flooding.connection()
    answers = []
    for _ in range(600):
        connection.request("GET", "/health/live", headers=flooding.headers())
        response = connection.getresponse()
        answers.append(Answer(response, response.read()))
    connection.close()
    refused = [answer for answer in answers if answer.status != 200]
    assert 0 < len(refused) < len(answers) - 150, f"{len(refused)} of {len(answers)} were refused"
    refused[0].problem(429, "rate_limited")
    assert refused[0].header("retry-after") == "1", refused[0].headers
    assert front.client(source="127.0.0.9").get("/health/live").status == 200


def what_is_too_large_is_refused(front):
    """By nginx before it is sent, and by the server where it knows better; both as problem+json."""
    admin = front.admin()
    connection = admin.connection()
    connection.putrequest("POST", "/v1/files", skip_host=True, skip_accept_encoding=True)
    for name, value in admin.headers({"Content-Type": "application/octet-stream", "Content-Length": str(60 * MEBI)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    refused = Answer(response, response.read())
    connection.close()
    refused.problem(413, "too_large")
    assert refused.header("x-request-id") is None, "the server had to refuse it"
    admin.post("/v1/clients", {"kind": "company", "name": "x" * 2 * MEBI}).problem(413, "too_large")


def answers_of_the_server_go_through(front):
    """Problems with all that they say, the id of the request, compressed JSON, and ETags that stay strong."""
    admin = front.admin()
    missing = admin.get("/v1/nothing", X_Request_Id="one-of-ours-0001").problem(404, "route_not_found")
    assert missing["request_id"], missing
    front.client().get("/v1/clients").problem(401, "unauthenticated")
    wrong = admin.post("/v1/clients", {"kind": "nobody", "names": 1})
    assert wrong.header("content-type") == "application/problem+json" and len(wrong.json()["errors"]) >= 2, wrong.body
    made = admin.post("/v1/clients", {"kind": "company", "name": "Αφοί Παπά " * 12})
    assert made.status == 201, made.body
    made = made.json()
    read = admin.get(f"/v1/clients/{made['id']}", Accept_Encoding="gzip")
    assert read.header("content-encoding") == "gzip", read.headers
    assert json.loads(gzip.decompress(read.body))["id"] == made["id"]
    tag = read.header("etag")
    assert tag and not tag.startswith("W/"), f"the ETag became weak: {tag}"
    changed = admin.send("PATCH", f"/v1/clients/{made['id']}", {"name": "Παπάς"}, {"If-Match": tag})
    assert changed.status == 200, changed.body


def what_is_for_monitors_is_hidden(front):
    """They are not answered from outside, and still by the server itself."""
    for path in ("/metrics", "/health/ready"):
        front.client().get(path).problem(404, "route_not_found")
    assert front.installation.admin.get("/health/ready")["status"] == "healthy"


def logs_hold_no_query(front):
    """A link's signature stands in its query."""
    front.client().get("/public/v1/files/0?signature=geheim-4711")
    until("the request is in the log", lambda: "/public/v1/files/0" in front.nginx.log())
    assert "geheim-4711" not in front.nginx.log(), "the log holds a query"
    for line in front.nginx.log().splitlines():
        json.loads(line)


PROMISES = [
    headers_are_there_once, plain_http_leads_to_tls, unknown_names_get_nothing, old_tls_is_refused, files_stream_both_ways,
    the_server_sees_the_client, floods_are_refused, what_is_too_large_is_refused, answers_of_the_server_go_through,
    what_is_for_monitors_is_hidden, logs_hold_no_query,
]

# A promise, what stands in the file, and what breaks it.
BREAKING = [
    (headers_are_there_once, "add_header Strict-Transport-Security", "#"),
    (headers_are_there_once, "server_tokens off;", ""),
    (headers_are_there_once, '    "" DENY;', "    default DENY;"),
    (plain_http_leads_to_tls, "return 308", "return 302"),
    (unknown_names_get_nothing, "return 444;", "return 200;"),
    (
        old_tls_is_refused, "ssl_protocols TLSv1.2 TLSv1.3;\n    ssl_ciphers ",
        "ssl_ciphers ALL:@SECLEVEL=0:",
    ),
    (old_tls_is_refused, "listen 443 ssl http2", "listen 443 ssl"),
    (files_stream_both_ways, "proxy_request_buffering off;", ""),
    (files_stream_both_ways, "client_max_body_size 51m;", "client_max_body_size 8m;"),
    (the_server_sees_the_client, "proxy_set_header X-Forwarded-For $remote_addr;", ""),
    (floods_are_refused, "limit_req zone=pelatis_requests burst=200 nodelay;", ""),
    (what_is_too_large_is_refused, "client_max_body_size 51m;", "client_max_body_size 0;"),
    (what_is_too_large_is_refused, "error_page 413 = @too_large;", ""),
    (answers_of_the_server_go_through, "    gzip off;", "    gzip on; gzip_types application/json; proxy_set_header Accept-Encoding '';"),
    (answers_of_the_server_go_through, "error_page 404 = @not_found;", "error_page 404 = @not_found; proxy_intercept_errors on;"),
    (what_is_for_monitors_is_hidden, "location = /metrics {\n        return 404;", "location = /metrics {\n        proxy_pass http://pelatis_server;"),
    (logs_hold_no_query, '"path":"$uri"', '"path":"$request_uri"'),
]
