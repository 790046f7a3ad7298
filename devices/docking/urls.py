"""Addresses of docking: applications, confirmations, and what everybody may ask of a code."""

from django.urls import path

from devices.docking import confirmation_pages, pages, public_page

urlpatterns = [
    path("docking/", pages.application_list, name="docking"),
    path("docking/new/", pages.new_application, name="new_application"),
    path("docking/<str:number>/", pages.application, name="docking_application"),
    path("docking/<str:number>/edit/", pages.edit_application, name="edit_application"),
    path("docking/<str:number>/step/", pages.application_step, name="application_step"),
    path("docking/<str:number>/issue/", confirmation_pages.issue, name="issue_confirmation"),
    path("confirmations/city/", confirmation_pages.city, name="city_confirmation"),
    path("confirmations/<uuid:uid>/", confirmation_pages.confirmation, name="confirmation"),
    path("confirmations/<uuid:uid>/act/", confirmation_pages.change, name="change_confirmation"),
    path("confirmations/<uuid:uid>/paper/", confirmation_pages.paper, name="confirmation_paper"),
    path("confirmations/<uuid:uid>/stamp/", confirmation_pages.stamp, name="stamp_confirmation"),
    path("confirmations/<uuid:uid>/stamped/", confirmation_pages.stamped, name="stamped_paper"),
    path("confirm/", public_page.code_form, name="code_form"),
    path("confirm/<str:code>/", public_page.public_confirmation, name="public_confirmation"),
]
