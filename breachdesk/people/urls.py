from django.urls import path

from breachdesk.people.views import counts, exports, holds, leaving, matching, people, persons, rejected, uploads

urlpatterns = [
    path("incidents/<str:reference>/people/", people.people, name="people"),
    path("incidents/<str:reference>/people/watch/", people.watch, name="people-watch"),
    path("incidents/<str:reference>/people/upload/", uploads.hand_in, name="people-upload"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/", uploads.upload, name="upload"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/match/", matching.match, name="upload-match"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/watch/", uploads.watch, name="upload-watch"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/accept/", uploads.accept, name="upload-accept"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/discard/", leaving.discard, name="upload-discard"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/undo/", leaving.undo, name="upload-undo"),
    path("incidents/<str:reference>/people/files/<uuid:upload_id>/rejected/", uploads.rejected, name="people-rejected"),
    path(
        "incidents/<str:reference>/people/files/<uuid:upload_id>/rejected/download/",
        rejected.download,
        name="rejected-download",
    ),
    path("incidents/<str:reference>/people/list/", counts.people_list, name="people-list"),
    path("incidents/<str:reference>/people/counts/", counts.counts, name="people-counts"),
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
