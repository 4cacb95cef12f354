from django.urls import path

from breachdesk.people import views

urlpatterns = [
    path("incidents/<str:reference>/people/", views.people, name="people"),
    path("incidents/<str:reference>/people/upload/", views.upload, name="people-upload"),
    path("incidents/<str:reference>/people/uploads/<uuid:upload_id>/rejected/", views.rejected, name="people-rejected"),
    path("incidents/<str:reference>/people/list/", views.people_list, name="people-list"),
    path("incidents/<str:reference>/people/search/", views.search, name="people-search"),
    path("incidents/<str:reference>/people/<uuid:pk>/", views.person, name="person"),
    path("incidents/<str:reference>/people/<uuid:pk>/reveal/", views.reveal, name="person-reveal"),
    path("incidents/<str:reference>/people/<uuid:pk>/hold/", views.hold, name="person-hold"),
    path("incidents/<str:reference>/people/<uuid:pk>/release/", views.release, name="person-release"),
]
