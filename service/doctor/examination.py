"""What one run of the checks knows, and what earlier checks leave for later ones."""

from typing import NamedTuple

from service.doctor.connection import Database
from service.doctor.places import Place


class InvalidVariable(NamedTuple):
    """A variable that stops every command; ``message`` is the line that they print."""

    message: str
    name: str
    secret: bool


class Examination:
    """One run; ``answers`` is set when the service itself has answered on its port."""

    answers = False

    def __init__(self, place: Place, invalid: InvalidVariable | None = None) -> None:
        self.place = place
        self.invalid = invalid
        self.database = Database(place)

    @property
    def serves_here(self) -> bool:
        """Whether a service with these settings runs: on a laptop it may be another one."""
        return self.answers and self.place.is_container

    def close(self) -> None:
        if not self.invalid:
            self.database.close()


def on_postgresql(examination: Examination) -> bool:
    return examination.database.vendor == "postgresql"


def on_sqlite(examination: Examination) -> bool:
    return examination.database.vendor == "sqlite"
