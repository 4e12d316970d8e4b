"""Are the static files of the HTML pages collected?"""

from django.conf import settings

from service.doctor.examination import Examination
from service.doctor.registry import Outcome, check, error, ok, warning


@check("service.E010", group="static files", needs=["configuration.variables"])
def collected(examination: Examination) -> Outcome:
    from service.checks import collected_static_files

    place = examination.place
    if not collected_static_files(None):
        return ok(f"collected in {settings.STATIC_ROOT}")
    fact = f"not collected in {settings.STATIC_ROOT}"
    if place.is_container:
        return error(f"{fact}, as a build of the image does: build it anew")
    return warning(
        f"{fact}: `serve` needs them, and `runserver` does not",
        place.manage("collectstatic --no-input"),
    )
