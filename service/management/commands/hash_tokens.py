from typing import Any

from django.core.management.base import BaseCommand

from service.tokens import hash_plain_tokens


class Command(BaseCommand):
    help = (
        "Replaces the keys of tokens that earlier versions have stored by hashes. Clients go on as "
        "before. Pods of such a version refuse these tokens afterwards."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"hashed: {hash_plain_tokens()}")
