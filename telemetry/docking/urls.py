"""Pages of docking tests."""

from django.urls import path

from telemetry.docking import hand_page, report_page, sample_page, test_acts, test_page

T = "docking/<str:number>/test/"
urlpatterns = [
    path("docking/<str:number>/sample/", sample_page.docking_sample, name="docking_sample"),
    path(T, test_page.docking_test, name="docking_test"),
    path(f"{T}card/", test_page.docking_test_card, name="docking_test_card"),
    path(f"{T}frames/", test_page.docking_frames, name="docking_frames"),
    path(f"{T}report/", report_page.docking_report, name="docking_report"),
    path(f"{T}start/", test_acts.docking_test_start, name="docking_test_start"),
    path(f"{T}run/", test_acts.docking_test_run, name="docking_test_run"),
    path(f"{T}judge/", test_acts.docking_test_judge, name="docking_test_judge"),
    path(f"{T}note/", test_acts.docking_note, name="docking_note"),
    path(f"{T}steps/<slug:key>/", hand_page.docking_step, name="docking_step"),
    path(f"{T}steps/<slug:key>/run/", test_acts.docking_step_run, name="docking_step_run"),
    path(f"{T}steps/<slug:key>/stop/", test_acts.docking_step_stop, name="docking_step_stop"),
    path(f"{T}steps/<slug:key>/photos/<int:n>/", hand_page.docking_photo, name="docking_photo"),
]
