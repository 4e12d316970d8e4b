"""The service's settings with a resource of the tests' own, tests/books/."""

from project.settings import *  # noqa: F403
from project.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.books"]
ROOT_URLCONF = "tests.urls"
API_PATHS = r"/|/instance|/(lists|tasks|books)(/.*)?"
# A password's hash is slow on purpose, and would cost each test with a user a third of a second.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
