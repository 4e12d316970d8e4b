"""Content negotiation: which renderer writes the response."""

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from rest.renderers import ProblemRenderer


class ContentNegotiation(DefaultContentNegotiation):
    """DRF's content negotiation with a shortcut for the most frequent Accept headers.

    A client may accept ``application/problem+json`` alone, because every operation declares it
    for errors. It gets a success in the first renderer's media type (RFC 9110, section 12.5.1,
    lets a server disregard the header).
    """

    problem = ProblemRenderer()

    def select_renderer(  # type: ignore[override]
        self,
        request: Request,
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        if request.META.get("HTTP_ACCEPT", "") in ("", "*/*", renderers[0].media_type):
            return renderers[0], renderers[0].media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, [*renderers, self.problem], format_suffix
        )
        if chosen[0] is self.problem:
            return renderers[0], renderers[0].media_type
        return chosen
