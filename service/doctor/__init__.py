"""``manage.py doctor``: what is wrong, and the command that fixes it. docs/doctor.md explains it.

Each module has the checks of one concern; examine.py runs all of them.
"""
