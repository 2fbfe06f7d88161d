"""Routes of the feed."""

from __future__ import annotations

from django.urls import path

from feed import profile_views, rating_views, search_views, views

app_name = "feed"
urlpatterns = [
    path("feed/", views.feed, name="feed"),
    path("feed/events/", views.events, name="events"),
    path("feed/follow/", views.follow_one, name="follow"),
    path("feed/news/", views.news, name="news"),
    path("feed/live/", views.live, name="live"),
    path("feed/saved/", views.saved, name="saved"),
    path("feed/searches/", search_views.save_search, name="save_search"),
    path("feed/searches/<uuid:public_id>/", search_views.search, name="search"),
    path("feed/ratings/", rating_views.ratings, name="ratings"),
    path("feed/start/", profile_views.start, name="start"),
    path("feed/profile/", profile_views.profile, name="profile"),
    path("feed/profile/change/", profile_views.change, name="change"),
    path("feed/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("companies/<int:pk>/", views.company, name="company"),
    path("companies/<int:pk>/changes/", views.company_changes, name="company_changes"),
    path("documents/<uuid:public_id>/save/", views.save, name="save"),
    path("documents/<uuid:public_id>/beside/", views.beside, name="beside"),
]
