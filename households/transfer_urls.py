"""Pages of workbooks in and out."""

from django.urls import path

from households import exports, transfers

urlpatterns = [
    path("transfer/", transfers.start, name="transfers"),
    path("transfer/template/", transfers.workbook_template, name="workbook_template"),
    path("imports/upload/", transfers.upload, name="upload"),
    path("imports/<uuid:uid>/", transfers.one_import, name="import"),
    path("imports/<uuid:uid>/progress/", transfers.progress, name="import_progress"),
    path("imports/<uuid:uid>/confirm/", transfers.confirm, name="confirm_reminder"),
    path("imports/<uuid:uid>/choose/", transfers.choose, name="choose_rows"),
    path("imports/<uuid:uid>/abandon/", transfers.abandon, name="abandon_import"),
    path("imports/<uuid:uid>/annotated/", transfers.annotated, name="annotated"),
    path("imports/<uuid:uid>/returned/", transfers.returned, name="returned"),
    path("exports/new/", exports.new_export, name="new_export"),
    path("exports/<uuid:uid>/", exports.export, name="export"),
    path("exports/<uuid:uid>/progress/", exports.export_progress, name="export_progress"),
    path("exports/<uuid:uid>/file/", exports.exported, name="exported"),
]
