"""A migration of its own, so that building the index blocks writers only while it scans the table.

In one transaction with the new columns, their lock would keep readers out as well.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tasklists', '0002_task'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='tasklist',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key__isnull', False)), fields=('idempotency_key',), name='tasklist_idempotency_key'),
        ),
    ]
