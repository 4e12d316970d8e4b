"""Indexes for the filters of lists. On PostgreSQL they block no writers while they are built."""

from django.db import migrations, models

import rest.operations
import rest.search


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('tasklists', '0004_search_functions'),
    ]

    operations = [
        rest.operations.AddIndexOnline(
            model_name='tasklist',
            index=models.Index(fields=['name', 'id'], name='lists_by_name'),
        ),
        rest.operations.AddIndexOnline(
            model_name='tasklist',
            index=rest.search.SearchIndex(fields=['name'], name='lists_by_part_of_name'),
        ),
    ]
