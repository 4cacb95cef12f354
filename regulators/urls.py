from django.urls import path

from regulators import assessing_views, calendar_views, catalogue_views, duty_views, versions_views, views

FILING = "incidents/<str:reference>/filings/<uuid:pk>/"

urlpatterns = [
    path("catalogue/", catalogue_views.catalogue, name="catalogue"),
    path("catalogue/<slug:law>/", catalogue_views.law, name="catalogue-law"),
    path("catalogue/<slug:law>/<int:version>/", catalogue_views.law, name="catalogue-version"),
    path("calendar/", calendar_views.calendar, name="calendar"),
    path("calendar/make/", calendar_views.make, name="calendar-make"),
    path("calendar/revoke/", calendar_views.revoke, name="calendar-revoke"),
    path("calendar/deadlines.ics", calendar_views.feed, name="calendar-feed"),
    path("organisation/position/", duty_views.position, name="position"),
    path("organisation/position/<str:key>/", duty_views.state_position, name="position-state"),
    path("incidents/<str:reference>/risk/", assessing_views.assessment, name="assessment"),
    path("incidents/<str:reference>/risk/score/", assessing_views.score, name="assessment-score"),
    path("incidents/<str:reference>/risk/<str:about>/", assessing_views.decide, name="decide"),
    path("incidents/<str:reference>/duties/", duty_views.duties, name="duties"),
    path("incidents/<str:reference>/duties/asked/<str:key>/", duty_views.state, name="duty-state"),
    path("incidents/<str:reference>/duties/<str:key>/", duty_views.duty, name="duty"),
    path("incidents/<str:reference>/duties/<str:key>/told/", duty_views.meet, name="duty-meet"),
    path("incidents/<str:reference>/filings/", views.filings, name="filing-list"),
    path("incidents/<str:reference>/filings/open/", views.open_filing, name="filing-open"),
    path(FILING, views.detail, name="filing-detail"),
    path(f"{FILING}answers/", views.save, name="filing-save"),
    path(f"{FILING}review/", views.submit_for_sign_off, name="filing-review"),
    path(f"{FILING}send-back/", views.send_back, name="filing-send-back"),
    path(f"{FILING}sign-off/", views.sign_off, name="filing-sign-off"),
    path(f"{FILING}submission/", views.record_submission, name="filing-submission"),
    path(f"{FILING}follow-up/", versions_views.begin_follow_up, name="filing-follow-up"),
    path(f"{FILING}changes/", versions_views.changes, name="filing-changes"),
    path(f"{FILING}versions/<int:number>/", versions_views.version, name="filing-version"),
    path(f"{FILING}pdf/", views.export, name="filing-export"),
    path(f"{FILING}json/", views.export_for_machines, {"kind": "json"}, name="filing-json"),
    path(f"{FILING}csv/", views.export_for_machines, {"kind": "csv"}, name="filing-csv"),
    path(f"{FILING}portal/", views.portal, name="filing-portal"),
    path(f"{FILING}receipt/", views.receipt_file, name="filing-receipt"),
]
