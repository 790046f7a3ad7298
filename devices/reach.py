"""How far the roles see that belong to no office: suppliers, network and power companies."""

from __future__ import annotations

from devices.models import Assignment
from households.models import REACHES, Area, Method, Role, User
from households.models.households import HouseholdQuerySet

NETWORK = tuple(method for method in Method if not method.has_unit)
ELECTRICITY = (Method.COAL_TO_ELECTRICITY,)
CONCERNS = {Role.HEAT_COMPANY: NETWORK, Role.POWER_COMPANY: ELECTRICITY}


def register() -> None:
    """Put the reaches of this app in; done once, when the app is ready."""
    REACHES[Role.SUPPLIER] = REACHES[Role.INSTALLER] = assigned
    REACHES[Role.HEAT_COMPANY] = on_the_network
    REACHES[Role.POWER_COMPANY] = on_electricity
    REACHES[Role.SUPERVISOR] = within_area


def methods_of(user: User) -> tuple[Method, ...]:
    """The methods whose households concern the user: of a company those it brings heat by."""
    return CONCERNS.get(Role(user.role), tuple(Method))


def assigned(households: HouseholdQuerySet, user: User) -> HouseholdQuerySet:
    """Only while the work is theirs: from the assignment until acceptance."""
    return households.filter(pk__in=Assignment.objects.of(user).values("household"))


def on_the_network(households: HouseholdQuerySet, user: User) -> HouseholdQuerySet:
    """Households that the heat network reaches, not those with a unit of their own."""
    return within_area(households.filter(method__in=NETWORK), user)


def on_electricity(households: HouseholdQuerySet, user: User) -> HouseholdQuerySet:
    """Households that heat with electricity, the power company's concern."""
    return within_area(households.filter(method__in=ELECTRICITY), user)


def within_area(households: HouseholdQuerySet, user: User) -> HouseholdQuerySet:
    """All of them, unless the account itself was given an area."""
    return households.filter(area__in=Area.objects.under(user.area)) if user.area else households
