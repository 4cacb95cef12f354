from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("breachdesk.desk.urls")),
    path("", include("breachdesk.accounts.urls")),
    path("", include("breachdesk.incidents.urls")),
    path("", include("breachdesk.people.urls")),
    path("", include("notifications.urls")),
    path("", include("regulators.urls")),
    path("webhooks/", include("notifications.webhook_urls")),
]

if settings.BREACHDESK.demo:
    urlpatterns += [path("catcher/", include("breachdesk.embedded.urls"))]
