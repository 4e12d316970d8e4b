"""Tasks, and columns for idempotency keys. Additive: the previous version serves meanwhile."""

import django.db.models.deletion
from django.db import migrations, models

import rest.models


class Migration(migrations.Migration):

    dependencies = [
        ('tasklists', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('version', models.PositiveBigIntegerField(default=1, editable=False)),
                ('idempotency_key', models.CharField(editable=False, max_length=255, null=True)),
                ('idempotency_fingerprint', models.CharField(editable=False, max_length=64, null=True)),
                ('title', models.CharField(max_length=255)),
                ('completed_at', rest.models.FirstTimeField(blank=True, null=True)),
                ('completed', models.GeneratedField(db_persist=True, expression=models.Q(('completed_at__isnull', False)), output_field=models.BooleanField())),
                ('due', models.DateField(blank=True, null=True)),
                ('order', rest.models.PositionField(blank=True, within='list')),
                ('list', rest.models.ParentField(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='tasklists.tasklist')),
            ],
            options={
                'ordering': ['order', 'id'],
                'abstract': False,
                'indexes': [models.Index(fields=['list', 'order', 'id'], name='tasks_of_a_list')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('idempotency_key__isnull', False)), fields=('idempotency_key',), name='task_idempotency_key')],
            },
        ),
        migrations.AddField(
            model_name='tasklist',
            name='idempotency_fingerprint',
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name='tasklist',
            name='idempotency_key',
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
    ]
