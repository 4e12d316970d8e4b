"""The service with a defect, to see what becomes of it."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.service.defective.urls"
