"""``manage.py doctor``: what is wrong, and the command that fixes it. docs/doctor.md explains it.

Each module has the checks of one concern; examine.py runs all of them.
They are imported when a variable keeps the settings from being loaded, too, so what needs models or
settings is imported in the functions that use it.
"""
