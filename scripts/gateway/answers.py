"""Asks a gateway, and compares what two have answered."""

import dataclasses
import http.client
import re

TIMEOUT = 60  # seconds
REQUEST_ID = re.compile(rb'(?<="requestId":")[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=")')
# What belongs to the connection, and to the server at its end: it is not part of an answer. A body is compared itself.
OF_THE_SERVER = {"date", "server", "connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclasses.dataclass
class Answer:
    """An answer: of each header, by its name in small letters, the values in order; ids of requests are all the same."""

    status: int
    headers: dict
    body: bytes

    def copy(self):
        return Answer(self.status, {n: list(v) for n, v in self.headers.items()}, self.body)

    def header(self, name):
        return ", ".join(self.headers.get(name, []))


def ask(address, prefix, wanted):
    """Sends a request as it stands, and reads the answer."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    try:
        host = any(name.lower() == "host" for name, _ in wanted.headers)
        connection.putrequest(wanted.method, prefix + wanted.path, skip_host=host, skip_accept_encoding=True)
        for name, value in wanted.headers:
            connection.putheader(name, value.encode("utf-8"))
        if wanted.body or wanted.method in ("POST", "PUT", "PATCH", "DELETE"):
            connection.putheader("Content-Length", str(len(wanted.body)))
        connection.endheaders(wanted.body or None)
        response = connection.getresponse()
        headers = {}
        for name, value in response.getheaders():
            if name.lower() not in OF_THE_SERVER:
                headers.setdefault(name.lower(), []).append(value)
        return Answer(response.status, headers, REQUEST_ID.sub(b"<id>", response.read()))
    finally:
        connection.close()


def departures(ours, theirs):
    """What still tells two answers apart, in a line each."""
    if ours.status != theirs.status:
        yield f"status {ours.status}, and {theirs.status} of SAM's"
    for name in sorted(ours.headers.keys() | theirs.headers.keys()):
        if ours.headers.get(name) != theirs.headers.get(name):
            yield f"{name}: {ours.headers.get(name)}, and {theirs.headers.get(name)} of SAM's"
    if ours.body != theirs.body:
        at = next((i for i, (a, b) in enumerate(zip(ours.body, theirs.body)) if a != b), min(len(ours.body), len(theirs.body)))
        yield f"bodies of {len(ours.body)} and {len(theirs.body)} bytes, from byte {at} on: {ours.body[at:at + 60]!r}, and {theirs.body[at:at + 60]!r} of SAM's"
