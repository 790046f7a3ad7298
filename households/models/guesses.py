"""How often visitors asked public pages for what is not there."""

from __future__ import annotations

from django.db import models


class Guesses(models.Model):
    """Wrong codes that one visitor tried at one public page within one minute.

    Counted in the database, so that all web processes count together. `visitor` is a keyed hash
    of the network address: enough to count by, and nothing to read.
    """

    page = models.CharField(max_length=16)
    visitor = models.CharField(max_length=64)
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["page", "visitor", "minute"], name="guesses_once_a_minute"
            )
        ]
        indexes = [models.Index(fields=["minute"], name="guesses_minute")]

    def __str__(self) -> str:
        return f"{self.page} {self.minute:%H:%M}: {self.count}"
