"""Do all replicas have the same SECRET_KEY? Fingerprints can be compared without showing it."""

import hashlib

from django.conf import settings

from service.doctor.examination import Examination
from service.doctor.registry import Outcome, check, ok, skipped

ROUNDS = 100_000  # make it slow to guess a key by its fingerprint
DIGITS = 8


@check("secret_key.fingerprint", group="secret key", needs=["configuration.variables"])
def fingerprint(examination: Examination) -> Outcome:
    if settings.SECRET_KEY_IS_RANDOM:
        return skipped("skipped: needs SECRET_KEY; each process makes a random one without it")
    return ok(f"{fingerprint_of(settings.SECRET_KEY)}, which has to be the same in every replica")


def fingerprint_of(key: str) -> str:
    """A few digits that say whether two keys are the same, and nothing else about them."""
    digest = hashlib.pbkdf2_hmac("sha256", key.encode(), b"fingerprint", ROUNDS)
    return digest.hex()[:DIGITS]
