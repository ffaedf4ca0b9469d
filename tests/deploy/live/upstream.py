"""What nginx passes on, seen by an upstream that tells what it was sent; for what the program does not have yet: live connections."""

import json
import socketserver
import threading
import time

from checks.files import Tree

from .client import Client
from .nginx import API, Nginx


class Handler(socketserver.StreamRequestHandler):
    """Answers with the head that it was sent. On /v1/events it says one thing, and a second when it is let."""

    def handle(self):
        while True:
            head = []
            while (line := self.rfile.readline().decode().strip()) != "":
                head.append(line)
            if not head:
                return
            if " /v1/events " in head[0]:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
                self.server.go_on.wait(10)
                self.wfile.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
                continue
            body = json.dumps(head).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class Upstream(socketserver.ThreadingTCPServer):
    """On a free port."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        self.go_on = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def seen(answer):
    """The headers of a request, as they arrived."""
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in answer.json()[1:])}


def broken(processes, folder):
    """What is not passed on as it ought to be."""
    with Upstream() as upstream:
        nginx = Nginx(processes, Tree(), folder / "nginx-upstream", f"127.0.0.1:{upstream.server_address[1]}", "127.0.0.1:9")
        client = Client(nginx.https, API, nginx.authority)
        try:
            _heads(client)
            _events(client, upstream)
        except Exception as error:
            return [f"live connections: {type(error).__name__}: {error}"]
        finally:
            upstream.go_on.set()
            nginx.stop()
            upstream.shutdown()
    return []


def _heads(client):
    usual = seen(client.get("/v1/clients", X_Forwarded_For="203.0.113.9", Upgrade="websocket", Connection="upgrade"))
    assert (usual["x-forwarded-for"], usual["x-forwarded-proto"], usual["host"]) == ("127.0.0.1", "https", API), usual
    assert "upgrade" not in usual and usual.get("connection") is None, f"everything may change its protocol: {usual}"
    live = seen(client.get("/v1/live", Upgrade="websocket", Connection="upgrade"))
    assert (live["upgrade"], live["connection"]) == ("websocket", "upgrade"), f"a WebSocket is not let through: {live}"


def _events(client, upstream):
    connection = client.connection()
    connection.request("GET", "/v1/events", headers=client.headers())
    response = connection.getresponse()
    began = time.monotonic()
    first = response.fp.readline() + response.fp.readline()
    assert b"data: 1" in first and time.monotonic() - began < 5, f"an event waits for the next: {first}"
    upstream.go_on.set()
    assert b"data: 2" in response.fp.read1() + response.fp.read1(), "the next does not come"
    connection.close()
