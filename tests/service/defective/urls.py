from typing import NoReturn

from django.http import HttpRequest
from django.urls import path

from project import urls


def defect(request: HttpRequest) -> NoReturn:
    password = "hunter2"  # noqa: F841 - to be looked for in the log
    raise RuntimeError("the cause of the\ndefect")


urlpatterns = [path("defect", defect), *urls.urlpatterns]
handler500 = urls.handler500
