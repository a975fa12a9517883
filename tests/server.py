"""A file server on loopback that behaves as told: with ranges or without, cut off in the middle, wrong, or absent."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Behavior:
    """What the server holds and how it serves it."""

    content: bytes
    ranges: bool = True
    cut_at: int | None = None  # close the connection after so many bytes of each answer
    status: int | None = None  # answer only with this error
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None  # answer in any other way
    requests: list[str | None] = field(default_factory=list)  # the Range header of each request
    url: str = ""


@contextmanager
def serving(content: bytes, *, certificate: Path | None = None, **options: object) -> Iterator[Behavior]:
    """A server for the length of the block; `url` has no file name at its end."""
    behavior = Behavior(content, **options)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            behavior.requests.append(asked)
            if behavior.answer is not None:
                behavior.answer(self)
                return
            if behavior.status is not None:
                self.send_error(behavior.status)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behavior.ranges else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if asked and behavior.ranges else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:][: behavior.cut_at])

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    behavior.url = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        behavior.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield behavior
    finally:
        server.shutdown()
        server.server_close()
