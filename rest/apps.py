from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin with the site of this package."""

    default_site = "rest.admin.AdminSite"
