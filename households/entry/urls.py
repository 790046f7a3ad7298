"""Pages of one household: its form, its papers, its merging."""

from django.urls import path

from households.archive import document_pages
from households.entry import household_pages, merging_page

urlpatterns = [
    path("households/new/", household_pages.new_household, name="new_household"),
    path("households/alike/", household_pages.alike_households, name="alike_households"),
    path("households/<slug:number>/edit/", household_pages.edit_household, name="edit_household"),
    path(
        "households/<slug:number>/merge/<slug:other>/",
        merging_page.merge_households,
        name="merge_households",
    ),
    path("households/<slug:number>/papers/", document_pages.add_documents, name="add_documents"),
    path("documents/<uuid:uid>/", document_pages.document, name="document"),
    path(
        "documents/<uuid:uid>/thumbnail/",
        document_pages.document_thumbnail,
        name="document_thumbnail",
    ),
    path(
        "documents/<uuid:uid>/withdraw/",
        document_pages.withdraw_document,
        name="withdraw_document",
    ),
]
