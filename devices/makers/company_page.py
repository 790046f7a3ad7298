"""Pages of companies: all of them for the offices, one with its models and papers, its form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_safe

from devices.makers import access, expiry, papers
from devices.makers.forms import CompanyForm, MakerForm
from devices.makers.withdrawing import REASONS
from devices.models import Confirmation, ConfirmationState, DeviceModel, Supplier
from households import lists
from households.audit import history
from households.language import as_kept
from households.models import User
from households.requests import SignedIn

LONGEST_SEARCH = 60  # characters


@login_required
@require_safe
def makers(request: SignedIn) -> HttpResponse:
    """All companies for the offices; a maker is led to his own and learns of no other."""
    access.see_that_reads(request.user)
    if request.user.is_maker:
        return redirect("maker", access.own_company(request.user).pk)
    rows = _counted(Supplier.objects.visible_to(request.user))
    if wanted := request.GET.get("q", "").strip()[:LONGEST_SEARCH]:
        rows = rows.filter(Q(name__icontains=wanted) | Q(device_models__code__icontains=wanted))
    ending = Counter(ending.supplier.pk for ending in expiry.endings(papers.SOON))
    page = lists.page_of(rows.distinct(), request)
    context = {
        "page": page,
        "lines": [(company, ending[company.pk]) for company in page],
        "q": wanted,
        "registers": access.registers_makers(request.user),
        "brought": papers.newly_brought() if request.user.tests_docking else [],
    }
    return render(request, "devices/makers/makers.html", context)


def _counted(rows: QuerySet[Supplier]) -> QuerySet[Supplier]:
    """With how many models each has, how many of them are admitted, and how many units run."""
    models = DeviceModel.objects.filter(supplier=OuterRef("pk"))
    admitted = DeviceModel.objects.admitted().filter(supplier=OuterRef("pk"))
    in_use = models.filter(units__retired_at=None, units__isnull=False)
    return rows.annotate(
        models_count=_number(models, "pk"),
        admitted_count=_number(admitted, "pk"),
        units_count=_number(in_use, "units"),
    )


def _number(rows: QuerySet[DeviceModel], of: str) -> Coalesce:
    counted = rows.order_by().values("supplier").annotate(n=Count(of)).values("n")
    return Coalesce(Subquery(counted), 0)


@dataclass(frozen=True)
class ModelLine:
    """One model on its company's page."""

    model: DeviceModel
    is_admitted: bool
    confirmation: Confirmation | None
    papers: list[papers.Entry]

    @property
    def missing(self) -> str:
        """The papers that it must come with and that are not there, or are over."""
        return _("、").join(str(entry.kind.label) for entry in self.papers if entry.lacks)


@login_required
@require_safe
def maker(request: SignedIn, pk: int) -> HttpResponse:
    """A company: what it tells of itself, its licence, its models."""
    company = access.read_company(request.user, pk)
    context = {
        "company": company,
        "entries": papers.contents(company),
        "lines": _lines(company),
        "writes": _is_own(request.user, company),
        "withdraws": _is_own(request.user, company) or request.user.tests_docking,
        "registers": access.registers_makers(request.user),
        "reasons": REASONS,
    }
    return render(request, "devices/makers/maker.html", context)


def _is_own(user: User, company: Supplier) -> bool:
    return user.is_maker and company.members.filter(user=user).exists()


def _lines(company: Supplier) -> list[ModelLine]:
    """A company has a few dozen models at most: a handful of queries for all of them."""
    models = list(company.device_models.all())
    admitted = set(company.device_models.admitted().values_list("pk", flat=True))
    newest = {one.model_id: one for one in _confirmations(company)}
    entries = papers.newest_of_models(models)
    return [
        ModelLine(model, model.pk in admitted, newest.get(model.pk), entries[model.pk])
        for model in models
    ]


def _confirmations(company: Supplier) -> list[Confirmation]:
    """The newest of a model last, but for one that is in force: what is to come stands behind."""
    rows = Confirmation.objects.counting().filter(model__supplier=company)
    return sorted(
        rows.order_by("issued_on", "pk"), key=lambda one: one.standing == ConfirmationState.VALID
    )


@login_required
@require_http_methods(["GET", "POST"])
def edit_maker(request: SignedIn, pk: int) -> HttpResponse:
    """The company's own people write what it tells of itself."""
    own = access.own_company(request.user)
    company = get_object_or_404(Supplier.objects.filter(pk=own.pk), pk=pk)
    form = CompanyForm(request.POST or None, instance=company)
    if request.method == "POST" and form.is_valid():
        with history.because(as_kept(_lazy("更新公司资料"))):
            form.save()
        messages.success(request, _("公司资料已保存。"))
        return redirect("maker", company.pk)
    return render(request, "devices/makers/company_form.html", {"company": company, "form": form})


@login_required
@require_http_methods(["GET", "POST"])
def new_maker(request: SignedIn) -> HttpResponse:
    """The platform enters a company; its accounts are made by whoever keeps accounts."""
    return _named(request, None)


@login_required
@require_http_methods(["GET", "POST"])
def rename_maker(request: SignedIn, pk: int) -> HttpResponse:
    """The platform corrects a company's name."""
    return _named(request, pk)


def _named(request: SignedIn, pk: int | None) -> HttpResponse:
    if not access.registers_makers(request.user):
        raise PermissionDenied(_("厂商名称由平台服务单位或账号管理员登记；请与他们联系。"))
    company = access.read_company(request.user, pk) if pk else None
    form = MakerForm(request.POST or None, instance=company)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("已保存厂商“%(name)s”。") % {"name": saved.name})
        return redirect("maker", saved.pk)
    context = {"company": company, "form": form}
    return render(request, "devices/makers/name_form.html", context)
