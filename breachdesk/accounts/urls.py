from allauth.account import views as allauth
from django.urls import path, re_path

from breachdesk.accounts import views

urlpatterns = [
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("sign-in/removed/", allauth.account_inactive, name="account_inactive"),
    path("sign-in/again/", allauth.reauthenticate, name="account_reauthenticate"),
    path("password/", allauth.password_change, name="account_change_password"),
    path("password/first/", allauth.password_set, name="account_set_password"),
    path("password/new/", allauth.password_reset, name="account_reset_password"),
    path("password/new/sent/", allauth.password_reset_done, name="account_reset_password_done"),
    path("password/link/done/", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/link/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("staff/", views.staff, name="staff"),
    path("staff/invite/", views.invite, name="staff-invite"),
    path("staff/<uuid:pk>/", views.colleague, name="staff-detail"),
    path("staff/<uuid:pk>/roles/", views.change_roles, name="staff-roles"),
    path("staff/<uuid:pk>/deputy/", views.change_deputy, name="staff-deputy"),
    path("staff/<uuid:pk>/reset/", views.reset, name="staff-reset"),
    path("staff/<uuid:pk>/remove/", views.remove, name="staff-remove"),
    path("staff/<uuid:pk>/readmit/", views.readmit, name="staff-readmit"),
    path("organisation/", views.organisation, name="organisation"),
    path("organisation/try-mail/", views.try_mail, name="organisation-try-mail"),
    path("healthz", views.healthz, name="healthz"),
]
