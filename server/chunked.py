"""Request bodies of unknown length (Transfer-Encoding: chunked) for Django."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ChunkedBodies:
    """WSGI middleware that reads a chunked body into memory and sets its Content-Length.

    Django takes a body without Content-Length for empty, because WSGI (PEP 3333) does not
    define bodies of unknown length. At most ``limit`` + 1 bytes are read. A longer body
    therefore exceeds the application's limit in the same way as one with a Content-Length.
    """

    def __init__(self, application: "WSGIApplication", limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        # wsgi.input_terminated: the server signals the end of the body as end of file. Without
        # it, reading could wait for bytes that never come.
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(self.limit + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)
