from django.urls import path

from regulators import views

FILING = "incidents/<str:reference>/filings/<uuid:pk>/"

urlpatterns = [
    path("incidents/<str:reference>/filings/", views.filings, name="filing-list"),
    path("incidents/<str:reference>/filings/open/", views.open_filing, name="filing-open"),
    path(FILING, views.detail, name="filing-detail"),
    path(f"{FILING}answers/", views.save, name="filing-save"),
    path(f"{FILING}review/", views.submit_for_sign_off, name="filing-review"),
    path(f"{FILING}send-back/", views.send_back, name="filing-send-back"),
    path(f"{FILING}sign-off/", views.sign_off, name="filing-sign-off"),
    path(f"{FILING}submission/", views.record_submission, name="filing-submission"),
    path(f"{FILING}pdf/", views.export, name="filing-export"),
    path(f"{FILING}receipt/", views.receipt_file, name="filing-receipt"),
]
