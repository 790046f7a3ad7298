"""Pages of the task and its progress."""

from django.urls import path

from plans import dashboard, list_acts, list_pages, two_level_page, wall

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("progress/curves/", dashboard.progress_curves, name="progress_curves"),
    path("progress/table/", dashboard.curves_table, name="progress_curves_table"),
    path("progress/definitions/", dashboard.definitions, name="definitions"),
    path("lists/", list_pages.village_lists, name="village_lists"),
    path("lists/file/", list_acts.file_lists, name="file_lists"),
    path("lists/<int:year>/<int:pk>/", list_pages.village_list_page, name="village_list"),
    path("lists/<int:year>/<int:pk>/act/", list_acts.village_list_act, name="village_list_act"),
    path("lists/<int:year>/<int:pk>/objection/", list_acts.list_objection, name="list_objection"),
    path("lists/<int:year>/<int:pk>/remark/", list_acts.list_remark, name="list_remark"),
    path("lists/<int:year>/<int:pk>/paper/", list_acts.list_paper, name="list_paper"),
    path("two-level/", two_level_page.two_level_page, name="two_level"),
    path("two-level/<int:pk>/", two_level_page.two_level_village, name="two_level_village"),
    path("wall/", wall.wall, name="wall"),
    path("wall/<str:token>/", wall.wall_link, name="wall_link"),
    path("wall-links/", wall.wall_links, name="wall_links"),
    path("wall-links/<int:pk>/revoke/", wall.revoke_wall_link, name="revoke_wall_link"),
]
