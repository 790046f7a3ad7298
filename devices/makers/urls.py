"""Addresses of the supplier's side."""

from django.urls import path

from devices.makers import company_page, desk_page, model_page, paper_pages

urlpatterns = [
    path("makers/", company_page.makers, name="makers"),
    path("makers/desk/", desk_page.desk, name="desk"),
    path("makers/new/", company_page.new_maker, name="new_maker"),
    path("makers/<int:pk>/", company_page.maker, name="maker"),
    path("makers/<int:pk>/edit/", company_page.edit_maker, name="edit_maker"),
    path("makers/<int:pk>/name/", company_page.rename_maker, name="rename_maker"),
    path("makers/models/new/", model_page.new_model, name="new_model"),
    path("makers/models/<int:pk>/", model_page.device_model, name="device_model"),
    path("makers/models/<int:pk>/edit/", model_page.edit_model, name="edit_model"),
    path("makers/papers/new/", paper_pages.new_paper, name="new_maker_paper"),
    path("makers/papers/<uuid:uid>/", paper_pages.maker_paper, name="maker_paper"),
    path(
        "makers/papers/<uuid:uid>/thumbnail/",
        paper_pages.maker_paper_thumbnail,
        name="maker_paper_thumbnail",
    ),
    path(
        "makers/papers/<uuid:uid>/withdraw/",
        paper_pages.withdraw_paper,
        name="withdraw_maker_paper",
    ),
]
