"""``manage.py doctor``: what is wrong, and the command that fixes it. docs/doctor.md explains it.

Each module has the checks of one concern; examine.py runs all of them.
They can be imported without settings, since doctor also runs if a variable keeps the settings from
being loaded. Modules that need settings or models on import are imported in functions.
"""
