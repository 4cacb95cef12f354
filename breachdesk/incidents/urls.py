from django.urls import path, register_converter

from breachdesk.incidents import views
from breachdesk.incidents.models import Destruction, Moment


class Word:
    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class MomentKind(Word):
    regex = "|".join(Moment.Kind.values)


class KeyKind(Word):
    regex = "|".join(Destruction.What.values)


register_converter(MomentKind, "moment")
register_converter(KeyKind, "key")

urlpatterns = [
    path("incidents/new/", views.new, name="incident-new"),
    path("incidents/<str:reference>/facts/", views.facts, name="incident-facts"),
    path("incidents/<str:reference>/moments/<moment:kind>/", views.moment, name="moment-correct"),
    path("incidents/<str:reference>/close/", views.close, name="incident-close"),
    path("incidents/<str:reference>/retention/", views.retention, name="incident-retention"),
    path("incidents/<str:reference>/retention/days/", views.dates, name="retention-dates"),
    path("incidents/<str:reference>/retention/hold/", views.hold, name="legal-hold"),
    path("incidents/<str:reference>/retention/release/", views.release, name="legal-hold-release"),
    path("incidents/<str:reference>/retention/destroy/<key:what>/", views.destroy, name="destruction-ask"),
    path(
        "incidents/<str:reference>/retention/requests/<uuid:pk>/", views.decide_destruction, name="destruction-decide"
    ),
    path(
        "incidents/<str:reference>/retention/requests/<uuid:pk>/withdraw/",
        views.withdraw_destruction,
        name="destruction-withdraw",
    ),
]
