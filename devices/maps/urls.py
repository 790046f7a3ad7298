"""Pages of 点表."""

from django.urls import path

from devices.maps import drafts, pages, uploads

urlpatterns = [
    path("maps/", pages.register_maps, name="register_maps"),
    path("maps/template.<slug:suffix>", pages.map_template, name="map_template"),
    path("maps/<int:pk>/", pages.register_map, name="register_map"),
    path("maps/<int:pk>/decode/", pages.decode_map, name="decode_map"),
    path("maps/<int:pk>/compare/", pages.compare_maps, name="compare_maps"),
    path("maps/<int:pk>/file.<slug:suffix>", pages.map_file, name="map_file"),
    path("maps/draft/<int:pk>/", drafts.map_draft, name="map_draft"),
    path("maps/draft/<int:pk>/start/", drafts.start_draft, name="start_map_draft"),
    path("maps/draft/<int:pk>/check/", drafts.check_draft, name="check_map_draft"),
    path("maps/draft/<int:pk>/save/", drafts.save_draft, name="save_map_draft"),
    path("maps/draft/<int:pk>/decode/", drafts.decode_draft, name="decode_map_draft"),
    path("maps/draft/<int:pk>/submit/", drafts.submit_draft, name="submit_map_draft"),
    path("maps/draft/<int:pk>/discard/", drafts.discard_draft, name="discard_map_draft"),
    path("maps/draft/<int:pk>/compare/", drafts.compare_draft, name="compare_map_draft"),
    path("maps/draft/<int:pk>/file.<slug:suffix>", drafts.draft_file, name="map_draft_file"),
    path("maps/draft/<int:pk>/upload/", uploads.map_upload, name="map_upload"),
    path("maps/uploads/<int:pk>/", uploads.map_mapping, name="map_mapping"),
    path("maps/uploads/<int:pk>/preview/", uploads.map_preview, name="map_preview"),
]
