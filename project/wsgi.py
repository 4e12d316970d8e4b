"""The WSGI application that gunicorn serves."""

from django.core.wsgi import get_wsgi_application

from project import environment

environment.select_settings("project.settings")

application = get_wsgi_application()
