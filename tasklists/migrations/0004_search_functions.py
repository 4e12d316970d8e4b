"""Functions for the search, on PostgreSQL."""

from django.db import migrations

from rest.operations import create_functions, drop_functions


class Migration(migrations.Migration):

    dependencies = [
        ('tasklists', '0003_unique_idempotency_keys'),
    ]

    operations = [
        migrations.RunPython(create_functions, drop_functions),
    ]
