"""Pages of workbooks in and out."""

from django.urls import path

from households.ledger import export_pages, import_pages

urlpatterns = [
    path("transfer/", import_pages.start, name="transfers"),
    path("transfer/template/", import_pages.workbook_template, name="workbook_template"),
    path("imports/upload/", import_pages.upload, name="upload"),
    path("imports/<uuid:uid>/", import_pages.one_import, name="import"),
    path("imports/<uuid:uid>/progress/", import_pages.progress, name="import_progress"),
    path("imports/<uuid:uid>/confirm/", import_pages.confirm, name="confirm_reminder"),
    path("imports/<uuid:uid>/choose/", import_pages.choose, name="choose_rows"),
    path("imports/<uuid:uid>/abandon/", import_pages.abandon, name="abandon_import"),
    path("imports/<uuid:uid>/annotated/", import_pages.annotated, name="annotated"),
    path("imports/<uuid:uid>/returned/", import_pages.returned, name="returned"),
    path("exports/new/", export_pages.new_export, name="new_export"),
    path("exports/<uuid:uid>/", export_pages.export, name="export"),
    path("exports/<uuid:uid>/progress/", export_pages.export_progress, name="export_progress"),
    path("exports/<uuid:uid>/file/", export_pages.exported, name="exported"),
]
