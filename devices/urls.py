"""Pages of with what: installations, their assignment, connections to the heat network."""

from django.urls import include, path

from devices import connection_page, installation_page, phone, work_list

urlpatterns = [
    path("", include("devices.account_urls")),
    path("", include("devices.makers.urls")),
    path("", include("devices.maps.urls")),
    path("", include("devices.docking.urls")),
    path("installations/", work_list.installations, name="installations"),
    path("installations/assign/", work_list.assign, name="assign_installations"),
    path("installations/give/", work_list.give, name="give_installations"),
    path("installations/<slug:number>/", installation_page.installation, name="installation"),
    path("connections/", connection_page.heat_connections, name="heat_connections"),
    path("install/", phone.install, name="install"),
    path("install/work/", phone.install_work, name="install_work"),
    path("install/entries/", phone.install_entries, name="install_entries"),
    path("install/worker.js", phone.worker, name="install_worker"),
]
