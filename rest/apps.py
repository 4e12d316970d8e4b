from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin with the site of this package."""

    default_site = "rest.admin.AdminSite"

    def ready(self) -> None:
        """Find the models' admin classes, and remove that of plain tokens.

        Its page shows their keys, and copies them into the admin's log.
        """
        super().ready()
        from django.contrib import admin
        from rest_framework.authtoken.models import TokenProxy

        admin.site.unregister(TokenProxy)
