"""Messages from the platform to a person (消息): what happened, and where to look at it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .accounts import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> NotificationQuerySet:
        """One's own."""
        return self.filter(to=user)

    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)


class Notification(models.Model):
    """`path` is the page it is about; `key` makes the same message come once."""

    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    text = models.CharField(_("内容"), max_length=200)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("已读时间"), null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("消息")
        verbose_name_plural = _("消息")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(
                fields=["to"], condition=models.Q(read_at=None), name="notification_unread"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["to", "key"], condition=~models.Q(key=""), name="notification_once"
            )
        ]

    def __str__(self) -> str:
        return self.text
