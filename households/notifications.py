"""Messages of the platform to people (消息): telling them, and what of it they have not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import translation

from households import clock
from households.models import Notification, User

LONGEST = 200  # characters, as the column has them
KEPT_FOR = timedelta(days=180)  # after they were read


def tell(users: Iterable[User], text: str | Callable[[], str], path: str, key: str = "") -> None:
    """Leave each of `users` who is active a message that leads to `path`, an address of ours.

    `text` as a function is called once for every language that they read, so that each gets his
    own: `tell(people, lambda: _("…") % {…}, path)`. What says the same `key` comes to a person
    once, however often it is told. Part of the caller's transaction.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"{path!r} is no address of the platform")
    now, words = clock.now(), _Words(text)
    people = {user.pk: user for user in users if user.is_active}.values()
    Notification.objects.bulk_create(
        [
            Notification(to=user, text=words.for_reader(user), path=path, key=key, at=now)
            for user in people
        ],
        ignore_conflicts=bool(key),
    )


class _Words:
    """A text in the languages of its readers, each made once."""

    def __init__(self, text: str | Callable[[], str]) -> None:
        self._text = text
        self._made: dict[str, str] = {}

    def for_reader(self, user: User) -> str:
        known = dict(settings.LANGUAGES)
        language = user.language if user.language in known else settings.LANGUAGE_CODE
        if language not in self._made:
            with translation.override(language):
                text = str(self._text() if callable(self._text) else self._text)
            self._made[language] = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        return self._made[language]


def read(user: User) -> list[Notification]:
    """The person's messages that were unread; from now on they are read."""
    found = list(Notification.objects.visible_to(user).unread())
    seen = [message.pk for message in found]
    Notification.objects.filter(pk__in=seen).update(read_at=clock.now())
    return found


def forget() -> int:
    """Clear away what was read half a year ago; how many. What nobody read is kept."""
    long_ago = clock.now() - KEPT_FOR
    return Notification.objects.filter(read_at__lt=long_ago).delete()[0]
