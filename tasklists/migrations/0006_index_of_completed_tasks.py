"""An index for the filter of tasks. On PostgreSQL it blocks no writers while it is built."""

from django.db import migrations, models

import rest.operations


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('tasklists', '0005_indexes_of_names'),
    ]

    operations = [
        rest.operations.AddIndexOnline(
            model_name='task',
            index=models.Index(fields=['list', 'completed', 'order', 'id'], name='tasks_by_completion'),
        ),
    ]
