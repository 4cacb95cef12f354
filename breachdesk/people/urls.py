from django.urls import path

from breachdesk.people.views import people, persons, uploads

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
    path("incidents/<str:reference>/people/<uuid:pk>/hold/", persons.hold, name="person-hold"),
    path("incidents/<str:reference>/people/<uuid:pk>/release/", persons.release, name="person-release"),
]
