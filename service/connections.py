"""What the database backends in service/postgresql and service/sqlite share."""

from types import TracebackType
from typing import Any

from django import db
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from service import metrics
from service.database_errors import is_useless_connection


class ErrorWrapper(DatabaseErrorWrapper):
    """Translates the exceptions of the database driver, whose every call passes through it.

    Besides what Django does, it makes DataError of values that the driver cannot send, and marks a
    connection whose error says that a new one is needed. It also counts errors for the metrics.
    """

    wrapper: "CloseUselessConnections"

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            return
        # What the driver cannot send: a NUL or a lone surrogate, or an integer beyond 64 bits.
        if isinstance(exc_value, UnicodeEncodeError | OverflowError) or (
            isinstance(exc_value, ValueError) and "NUL" in str(exc_value)
        ):
            error = db.DataError(str(exc_value))
            metrics.count_database_error(error)
            raise error from exc_value
        try:
            super().__exit__(exc_type, exc_value, traceback)
        except db.Error as error:
            metrics.count_database_error(error)
            if is_useless_connection(error):
                self.wrapper.is_useless = True
            raise


class CloseUselessConnections(BaseDatabaseWrapper):
    """Closes a connection at the end of its request if an error said that a new one is needed.

    Django only closes a connection that no longer answers. One that leads to a standby, or to a
    file that was opened read-only, answers everything but writes.
    """

    is_useless = False

    def connect(self) -> None:
        self.is_useless = False
        super().connect()
        metrics.CONNECTIONS_OPENED.inc()

    def is_usable(self) -> bool:
        return not self.is_useless and super().is_usable()

    @cached_property
    def wrap_database_errors(self) -> Any:
        return ErrorWrapper(self)
