"""Addresses of docking: applications, confirmations, and what everybody may ask of a code."""

from django.urls import path

from devices.docking import pages

urlpatterns = [
    path("docking/", pages.application_list, name="docking"),
    path("confirmations/<uuid:uid>/", pages.confirmation, name="confirmation"),
    path("confirm/<str:code>/", pages.confirmation, name="public_confirmation"),
    path("docking/<str:number>/", pages.application, name="docking_application"),
]
