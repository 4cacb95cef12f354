from django.urls import path

from breachdesk.people.views import exports, holds, people, persons, uploads

urlpatterns = [
    path("incidents/<str:reference>/people/", people.people, name="people"),
    path("incidents/<str:reference>/people/upload/", uploads.upload, name="people-upload"),
    path(
        "incidents/<str:reference>/people/uploads/<uuid:upload_id>/rejected/", uploads.rejected, name="people-rejected"
    ),
    path("incidents/<str:reference>/people/list/", people.people_list, name="people-list"),
    path("incidents/<str:reference>/people/search/", persons.search, name="people-search"),
    path("incidents/<str:reference>/people/<uuid:pk>/", persons.person, name="person"),
    path("incidents/<str:reference>/people/<uuid:pk>/reveal/", persons.reveal, name="person-reveal"),
    path("incidents/<str:reference>/people/<uuid:pk>/hold/", holds.hold, name="person-hold"),
    path("incidents/<str:reference>/people/<uuid:pk>/release/", holds.release, name="person-release"),
    path(
        "incidents/<str:reference>/people/<uuid:pk>/holds/<uuid:hold_id>/release/",
        holds.release_hold,
        name="hold-release",
    ),
    path("incidents/<str:reference>/people/holds/", holds.holds, name="people-holds"),
    path("incidents/<str:reference>/people/holds/add/", holds.hold_list, name="people-hold-list"),
    path("incidents/<str:reference>/people/exports/", exports.export_list, name="exports"),
    path("incidents/<str:reference>/people/exports/ask/", exports.ask, name="export-ask"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/", exports.export, name="export"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/allow/", exports.allow, name="export-allow"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/refuse/", exports.refuse, name="export-refuse"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/withdraw/", exports.withdraw, name="export-withdraw"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/make/", exports.make, name="export-make"),
    path("incidents/<str:reference>/people/exports/<uuid:pk>/download/", exports.download, name="export-download"),
]
