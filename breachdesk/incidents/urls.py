from django.urls import path, register_converter

from breachdesk.incidents import views
from breachdesk.incidents.models import Moment


class MomentKind:
    regex = "|".join(Moment.Kind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(MomentKind, "moment")

urlpatterns = [
    path("incidents/new/", views.new, name="incident-new"),
    path("incidents/<str:reference>/facts/", views.facts, name="incident-facts"),
    path("incidents/<str:reference>/moments/<moment:kind>/", views.moment, name="moment-correct"),
    path("incidents/<str:reference>/close/", views.close, name="incident-close"),
]
