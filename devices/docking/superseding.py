"""Which confirmation a newer one replaces, by its date too, and in what an application differs from
the one that stands."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from devices.docking import confirmations
from devices.models import Confirmation, ConfirmationState, DockingApplication
from households import clock

S = ConfirmationState
SCOPE = ("board", "board_version", "firmware", "transmitter_model", "register_map_id")


def due() -> int:
    """Supersede what newer ones replace that have begun to be in force by their date; how many of
    those there were. Asked again it changes nothing."""
    today = clock.today()
    same = {"model": OuterRef("model"), "origin": OuterRef("origin")}
    standing = Confirmation.objects.filter(state__in=confirmations.STANDING, **same)
    earlier = Q(issued_on__lt=OuterRef("issued_on"))
    earlier |= Q(issued_on=OuterRef("issued_on"), pk__lt=OuterRef("pk"))
    in_force = Confirmation.objects.filter(
        state=S.VALID, valid_from__lte=today, valid_until__gte=today
    )
    begun = list(in_force.filter(Exists(standing.filter(earlier))).order_by("issued_on", "pk"))
    for one in begun:
        _begins(one.pk, one.model_id)
    return len(begun)


@transaction.atomic
def _begins(pk: int, model: int) -> None:
    confirmations.hold(model)
    one = Confirmation.objects.select_for_update(of=("self",)).get(pk=pk)
    if one.state == S.VALID:  # else it was superseded or revoked just now
        confirmations.supersede_older(one, one.signer)


def successor(one: Confirmation) -> Confirmation | None:
    """The one that is issued already and will supersede this one by its date."""
    if one.standing != S.VALID:
        return None
    rows = Confirmation.objects.filter(
        model=one.model_id, origin=one.origin, state=S.VALID, valid_from__gt=clock.today()
    )
    later = Q(issued_on__gt=one.issued_on) | Q(issued_on=one.issued_on, pk__gt=one.pk)
    return rows.filter(later).order_by("valid_from").first()


def scope_changes(application: DockingApplication) -> list[str]:
    """The names of what differs from the model's standing confirmation: why it is tested anew."""
    rows = Confirmation.objects.counting().filter(model=application.model_id, state=S.VALID)
    standing = rows.exclude(application=application).order_by("-issued_on", "-pk").first()
    if standing is None:
        return []
    names = {
        field.attname: field.verbose_name for field in DockingApplication._meta.concrete_fields
    }
    names["register_map_id"] = _("点表")
    return [
        str(names[field])
        for field in SCOPE
        if getattr(standing, field) not in ("", None, getattr(application, field))
    ]
