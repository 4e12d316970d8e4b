from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from service.models import Token
from service.tokens import digest, new_key, plain_tokens


class Command(BaseCommand):
    """Takes the place of the command of rest_framework.authtoken, with the same output."""

    help = "Creates a token for a user and prints its key, which is not shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="what the token is for")
        parser.add_argument(
            "-r", "--reset", action="store_true", help="delete all other tokens of the user"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"]
        longest = Token._meta.get_field("name").max_length or 0
        if len(options["name"]) > longest:
            raise CommandError(f"--name takes at most {longest} characters")
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"there is no user {username!r}")
        if options["reset"]:
            Token.objects.filter(user=user).delete()
            plain_tokens().filter(user=user).delete()
        key = new_key()
        Token.objects.create(digest=digest(key), user=user, name=options["name"])
        self.stdout.write(f"Generated token {key} for user {username}")
