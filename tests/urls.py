"""The service's paths, those of tests/books/, and pages of the tests' own."""

from django.urls import path

from project import urls
from rest.urls import routes
from tests import pages
from tests.books.api import BookViewSet

urlpatterns = [
    *routes(BookViewSet, "books", "books"),
    path("page", pages.form),
    path("raise/<str:name>", pages.fail),
    *urls.urlpatterns,
]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
