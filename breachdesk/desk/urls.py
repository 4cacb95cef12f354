from django.urls import path, register_converter

from breachdesk.desk import register_views, stale_views, substitute_views, views


class Reference:
    """BD-2026-0001, so that /incidents/new/ is never taken for an incident."""

    regex = "[A-Z]{2}-[0-9]{4}-[0-9]{4,}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Reference, "reference")

urlpatterns = [
    path("", views.home, name="home"),
    path("incidents/", views.incident_list, name="incident-list"),
    path("incidents/<reference:reference>/", views.incident_detail, name="incident-detail"),
    path("incidents/<reference:reference>/trail/", views.incident_trail, name="incident-trail"),
    path("incidents/<reference:reference>/bundle/", views.incident_bundle, name="incident-bundle"),
    path("incidents/<reference:reference>/evidence/", views.incident_evidence, name="incident-evidence"),
    path("incidents/<reference:reference>/stale/", stale_views.stale, name="incident-stale"),
    path("incidents/<reference:reference>/public-notice/", substitute_views.substitute, name="substitute"),
    path(
        "incidents/<reference:reference>/public-notice/<str:key>/",
        substitute_views.substitute_published,
        name="substitute-published",
    ),
    path("register/", register_views.register, name="register"),
    path("register/<str:kind>/", register_views.export, name="register-export"),
    path("trail/", views.trail, name="trail"),
    path("trail/verify/", views.trail_verify, name="trail-verify"),
    path("trail/<int:idx>/proof/", views.trail_proof, name="trail-proof"),
    path("status/", views.status, name="status"),
]
