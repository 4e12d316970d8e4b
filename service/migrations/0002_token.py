import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from service.tokens import remove_keys


def remove_keys_from_log(apps, schema_editor):
    # `migrate` may use another connection than the service, which goes through a pooler.
    log_entry = apps.get_model("admin", "LogEntry")
    remove_keys(log_entry.objects.using(schema_editor.connection.alias))


class Migration(migrations.Migration):
    """Adds tokens of which the database has digests. Plain ones stay; see hash_tokens."""

    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("service", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("name", models.CharField(blank=True, help_text="What the token is for.", max_length=100)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunPython(remove_keys_from_log, migrations.RunPython.noop, elidable=True),
    ]
