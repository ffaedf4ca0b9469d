"""A client that says which name it wants, where from, and with which TLS, and sees every header."""

import http.client
import json
import socket
import ssl


class Answer:
    """An answer, whole."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.getheaders()
        self.body = body

    def header(self, name):
        """The one value of a header, none if it is missing; twice is a fault."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    def problem(self, status, code):
        """Makes sure that it is this problem, as application/problem+json, and returns it."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:300]!r}"
        assert self.header("content-type") == "application/problem+json", self.header("content-type")
        problem = self.json()
        assert (problem["code"], problem["status"]) == (code, status), problem
        return problem


class Tls(http.client.HTTPSConnection):
    """HTTPS to the loopback, under a name, from an address of it."""

    def __init__(self, port, name, context, source):
        super().__init__(name, port, timeout=30, context=context)
        self.source = (source, 0)
        self.wanted = name

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), 30, self.source)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.wanted)


class Client:
    """Somebody at an address, who trusts one authority."""

    def __init__(self, port, name, authority, source="127.0.0.1", token=None):
        self.port, self.name, self.source, self.token = port, name, source, token
        self.context = ssl.create_default_context(cafile=str(authority))

    def connection(self):
        return Tls(self.port, self.name, self.context, self.source)

    def headers(self, more=None):
        # the port is the test's, and not what people type
        given = {"Host": self.name, "Accept-Encoding": "identity", **(more or {})}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        return given

    def send(self, method, path, body=None, headers=None):
        given = self.headers(headers)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        connection = self.connection()
        try:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body, **headers):
        return self.send("POST", path, body, headers)
