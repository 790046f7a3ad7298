"""Pages of one device model: its values, papers, confirmations, register maps; its form."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from devices.docking import admission
from devices.docking.admission import Lack
from devices.makers import access, model_rules, papers
from devices.makers.forms import ModelForm
from devices.makers.withdrawing import REASONS
from devices.models import DeviceModel, DockingApplication, Supplier
from households.audit import history
from households.language import as_kept
from households.requests import SignedIn


@login_required
@require_safe
def device_model(request: SignedIn, pk: int) -> HttpResponse:
    """What stands next before it may be installed, and everything that the platform has of it."""
    model = access.read_model(request.user, pk)
    own = request.user.is_maker
    applications = DockingApplication.objects.visible_to(request.user).filter(model=model)
    lacks = admission.lacks(model)
    context = {
        "model": model,
        "lacks": [(lack, _where(lack, model) if own else "") for lack in lacks],
        "next": _next(lacks, model) if own else None,
        "values": values(model),
        "entries": papers.contents(model),
        "withdrawn": model.papers.exclude(withdrawn_at=None).order_by("-withdrawn_at"),
        "confirmations": model.confirmations.select_related("application", "register_map"),
        "maps": model.register_maps.all(),
        "applications": applications.select_related("register_map"),
        "writes": own,
        "withdraws": own or request.user.tests_docking,
        "reasons": REASONS,
    }
    return render(request, "devices/makers/model.html", context)


def _where(lack: Lack, model: DeviceModel) -> str:
    """Where the maker brings what lacks; empty for a confirmation that it has asked for already."""
    if lack.kind == admission.MAP:
        return reverse("map_draft", args=[model.pk])
    if lack.kind != admission.CONFIRMATION:
        return f"{reverse('new_maker_paper')}?model={model.pk}&kind={lack.kind}"
    under_way = model.applications.open().exists()
    may_ask = model.register_maps.exists() and not under_way and settings.APPOINTED_PLATFORM
    return f"{reverse('new_application')}?model={model.pk}" if may_ask else ""


def _next(lacks: list[Lack], model: DeviceModel) -> tuple[str, str] | None:
    """The one thing to do first on the way to a confirmation: words of a button, and where."""
    words = {admission.MAP: _("写点表"), admission.CONFIRMATION: _("申请数据对接")}
    found = ((words[lack.kind], _where(lack, model)) for lack in lacks if lack.kind in words)
    return next((one for one in found if one[1]), None)


def values(model: DeviceModel) -> list[tuple[str, str, list[str]]]:
    """What its card says: name, value with its unit, what stands out about it."""
    said: dict[str, list[str]] = {}
    for remark in model_rules.remarks(model):
        said.setdefault(remark.column, []).append(remark.words)
    texts = {
        "kind": model.get_kind_display(),
        "medium": model.get_medium_display(),
        "capacity_kw": _with_unit(model.capacity_kw, "kW"),
        "design_temp": _with_unit(model.design_temp, "°C"),
        "lowest_temp": _with_unit(model.lowest_temp, "°C"),
        "voltage": _with_unit(model.voltage, "V"),
        "frequency": _with_unit(model.frequency, "Hz"),
        "energy_grade": _("%(n)d 级") % {"n": model.energy_grade} if model.energy_grade else "",
        "material": model.material,
        "standards": model.standards,
    }
    return [(_plain_label(name), text, said.get(name, [])) for name, text in texts.items()]


def _with_unit(value: object, unit: str) -> str:
    return "" if value is None else f"{value} {unit}".replace("-", "−")


def _plain_label(name: str) -> str:
    """The label of a form without its unit, which stands behind the value."""
    label = str(DeviceModel._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return label.split("（")[0]


@login_required
@require_http_methods(["GET", "POST"])
def new_model(request: SignedIn) -> HttpResponse:
    """Enter a model of the maker's own."""
    return _written(request, access.own_company(request.user), None)


@login_required
@require_http_methods(["GET", "POST"])
def edit_model(request: SignedIn, pk: int) -> HttpResponse:
    """Correct one; what installations and papers know it by is fixed once it is used."""
    model = access.own_model(request.user, pk)
    return _written(request, model.supplier, model)


def _written(request: SignedIn, company: Supplier, model: DeviceModel | None) -> HttpResponse:
    form = ModelForm(request.POST or None, company, model)
    if request.method == "POST" and form.is_valid() and (saved := _saved(form)):
        messages.success(request, _("型号 %(code)s 已保存。") % {"code": saved.code})
        return redirect("device_model", saved.pk)
    context = {"company": company, "model": model, "form": form}
    return render(request, "devices/makers/model_form.html", context)


def _saved(form: ModelForm) -> DeviceModel | None:
    """None where the same code was entered a moment ago, which the form then says."""
    try:
        with transaction.atomic(), history.because(as_kept(_lazy("更新型号资料"))):
            saved: DeviceModel = form.save()
    except IntegrityError:
        form.add_error("code", _("本公司已有这个型号"))
        return None
    return saved
