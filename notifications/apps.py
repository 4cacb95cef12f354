from typing import Any

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Connects the mail provider's signal, the only one we use, and the check that its secret is set."""

    name = "notifications"

    def ready(self) -> None:
        from anymail.signals import AnymailTrackingEvent, tracking
        from django.core.checks import register

        from notifications.checks import check_provider
        from notifications.second_way import check_second_way

        def take(sender: Any, event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
            from notifications.provider_events import store_event

            store_event(event, source=esp_name)

        tracking.connect(take, weak=False, dispatch_uid="notifications")
        register(check_provider)
        register(check_second_way)
