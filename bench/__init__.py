"""The service's speed beside that of other stacks: ``python -m bench``, or ``make bench``."""
