"""Papers of one household: sent in, shown, withdrawn."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from households import clock, downloads, personal_numbers
from households.archive import documents
from households.archive.incoming import JPEG, SUFFIXES, FileRefused
from households.models import Document, DocumentKind, Household, User
from households.requests import SignedIn

WITHDRAWN_WHY = [
    ("wrong_household", _lazy("传错了户")),
    ("wrong_kind", _lazy("选错了材料")),
    ("unreadable", _lazy("看不清，已重拍")),
    ("outdated", _lazy("已有新的")),
    ("personal", _lazy("有不该保存的个人信息")),
]


class DocumentForm(forms.Form):
    """Which paper, of which day; the files themselves come several at once."""

    kind = forms.ChoiceField(
        label=_lazy("材料"),
        choices=DocumentKind.choices,
        initial=DocumentKind.HOUSE_PHOTO,
        widget=forms.Select({"class": "form-select"}),
    )
    on = forms.DateField(
        label=_lazy("日期"),
        required=False,
        help_text=_lazy("不填时照片按拍摄时间，其他按今天"),
        widget=forms.DateInput({"class": "form-control", "type": "date"}),
    )
    title = forms.CharField(
        label=_lazy("说明"),
        required=False,
        max_length=80,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )

    def clean_on(self) -> object:
        on = self.cleaned_data["on"]
        if on and on > clock.today():
            raise forms.ValidationError(_("日期还没有到"))
        return on

    def clean_title(self) -> str:
        if why := personal_numbers.refused(self.cleaned_data["title"]):
            raise forms.ValidationError(why)
        return str(self.cleaned_data["title"])


def may_add(user: User) -> bool:
    """Whether the role brings papers of households within its reach."""
    return user.may_register or user.may_install or user.may_connect


@login_required
@require_POST
def add_documents(request: SignedIn, number: str) -> HttpResponse:
    """Take in what was sent; each file that is refused is told with its name and the reason."""
    home = get_object_or_404(Household.objects.visible_to(request.user), number=number)
    if not may_add(request.user):
        raise PermissionDenied(_("您的角色不上传材料；请联系村（社区）或镇（街道）"))
    form, files = DocumentForm(request.POST), request.FILES.getlist("files")
    if not form.is_valid() or not files or len(files) > documents.AT_ONCE:
        _say_what_is_wrong(request, form, len(files))
        return redirect(f"/households/{number}/#papers")
    stored = 0
    for file in files:
        try:
            documents.add(home, file=file, by=request.user, **form.cleaned_data)
            stored += 1
        except FileRefused as reason:
            name = (file.name or "")[-40:]
            messages.error(
                request, _("“%(name)s”没有收：%(why)s。") % {"name": name, "why": reason}
            )
    if stored:
        messages.success(request, _("已收 %(n)d 份材料。") % {"n": stored})
    return redirect(f"/households/{number}/#papers")


def _say_what_is_wrong(request: SignedIn, form: DocumentForm, count: int) -> None:
    for errors in form.errors.values():
        messages.error(request, "；".join(str(error) for error in errors))
    if not count:
        messages.error(request, _("还没有选照片或文件。"))
    if count > documents.AT_ONCE:
        messages.error(request, _("一次最多 %(n)d 份，请分几次传。") % {"n": documents.AT_ONCE})


@login_required
@require_safe
@never_cache
def document(request: SignedIn, uid: uuid.UUID) -> HttpResponse | FileResponse:
    """One paper: a photo to look at, a PDF to keep. Never as a page of this site."""
    paper = get_object_or_404(Document.objects.visible_to(request.user), uid=uid)
    return _file(paper, paper.file, paper.content_type)


@login_required
@require_safe
@never_cache
def document_thumbnail(request: SignedIn, uid: uuid.UUID) -> HttpResponse | FileResponse:
    """The small picture of a photo; 404 for a PDF."""
    paper = get_object_or_404(Document.objects.visible_to(request.user), uid=uid)
    if not paper.thumbnail:
        raise Http404
    return _file(paper, paper.thumbnail, JPEG)


def _file(paper: Document, name: str, content_type: str) -> FileResponse:
    title = f"{paper.household.number} {paper.get_kind_display()}"
    return downloads.paper(name, f"{title}.{SUFFIXES[content_type]}", content_type)


@login_required
@require_POST
def withdraw_document(request: SignedIn, uid: uuid.UUID) -> HttpResponse:
    """Take a paper out of the file; whoever brought it may, and whoever registers there."""
    papers = Document.objects.visible_to(request.user).standing().select_related("household")
    paper = get_object_or_404(papers, uid=uid)
    if not (request.user.may_register or paper.added_by_id == request.user.pk):
        raise PermissionDenied(_("您的角色不撤下材料；请联系村（社区）或镇（街道）"))
    why = dict(WITHDRAWN_WHY).get(request.POST.get("why", ""))
    if why is None:
        messages.error(request, _("撤下材料要选原因。"))
    else:
        documents.withdraw(paper, why=str(why))
        messages.success(request, _("已撤下“%(paper)s”。") % {"paper": paper.get_kind_display()})
    return redirect(f"/households/{paper.household.number}/#papers")
