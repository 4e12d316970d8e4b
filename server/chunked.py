"""Bodies whose length is not known in advance (Transfer-Encoding: chunked), for Django."""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ChunkedBodies:
    """Reads a chunked body into memory and gives it its length.

    WSGI says nothing of bodies without Content-Length, and Django takes them
    for empty. No more than ``limit`` bytes and one are read: a body of so many
    is too large to the application, as if the client had said its length.
    """

    def __init__(self, application: "WSGIApplication", limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        # Only a server that says so ends the input where the body ends.
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(self.limit + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)
