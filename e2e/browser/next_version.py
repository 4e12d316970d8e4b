"""Settings of a version after this one."""

from project.settings import *  # noqa: F403

VERSION = "0.3.0"
