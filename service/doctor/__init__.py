"""``manage.py doctor``: what is wrong, and the command that fixes it. docs/doctor.md explains it.

Each module has the checks of one concern. Importing service.doctor.examine registers all of them.
"""
