"""An HTTP(S) front of the local cloud's API that passes on every request, and keeps what was asked."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlparse

SIGNED = re.compile(r"Credential=\w+/\d+/([^/]+)/")


class Front:
    """`asked` has method and path of each request, and the region that it was signed for."""

    def __init__(self, behind: str, server: ThreadingHTTPServer, scheme: str) -> None:
        self.asked: list[str] = []
        self.behind = urlparse(behind)
        self.url = f"{scheme}://127.0.0.1:{server.server_port}"

    def pass_on(self, method: str, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        region = SIGNED.search(authorization)
        self.asked.append(f"{method} {path} {region[1] if region else 'unsigned'}")
        connection = HTTPConnection(self.behind.hostname or "", self.behind.port)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read()
            kept = {name: value for name, value in answer.getheaders() if name.lower() != "content-length"}
            return answer.status, kept, body
        finally:
            connection.close()


@contextmanager
def front(behind: str, certificates: Path | None = None) -> Iterator[Front]:
    """A front of the API at `behind`, with TLS if there are certificates, while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_DELETE(self) -> None:
            status, headers, body = fronted.pass_on("DELETE", self.path, self.headers.get("Authorization", ""))
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name for it
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that does not trust the certificate hangs up

    with Server(("127.0.0.1", 0), Handler) as server:
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        fronted = Front(behind, server, "https" if certificates else "http")
        serving = Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield fronted
        finally:
            server.shutdown()
            serving.join()
