from typing import Any

from django.core.management.base import BaseCommand

from service.tokens import hash_plain_tokens


class Command(BaseCommand):
    help = (
        "Hashes the keys of tokens, which earlier versions stored unhashed. Clients keep their "
        "keys. Processes of an earlier version refuse these tokens afterwards."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"hashed: {hash_plain_tokens()}")
