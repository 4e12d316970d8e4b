"""Django's SQLite backend, which opens the file again after an error of the file."""

from django.db.backends.sqlite3 import base

from service.connections import CloseUselessConnections


class DatabaseWrapper(CloseUselessConnections, base.DatabaseWrapper):
    pass
