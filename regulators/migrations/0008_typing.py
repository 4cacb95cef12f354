import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("regulators", "0007_follow_ups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Typing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("question", models.CharField(blank=True, max_length=60)),
                ("sealed", models.BinaryField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "filing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="regulators.filing"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("filing", "user", "question"), name="one_typing_per_answer_and_user"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("question", ""), ("sealed", None)),
                            models.Q(models.Q(("question", ""), _negated=True), ("sealed__isnull", False)),
                            _connector="OR",
                        ),
                        name="typed_words_have_a_question",
                    ),
                ],
            },
        ),
    ]
