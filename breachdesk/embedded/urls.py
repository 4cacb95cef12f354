from django.urls import path

from breachdesk.embedded import views

urlpatterns = [
    path("", views.caught_list, name="caught-list"),
    path("<int:number>/", views.caught_detail, name="caught-detail"),
    path("<int:number>/body/", views.caught_body, name="caught-body"),
]
