"""All addresses of the deployment."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/auth/", include("accounts.api.urls")),
    path("api/v1/webhooks", include("webhooks.api.urls")),
    path("api/v1/", include("jobs.api.urls")),
]

handler400 = "jobs.api.problems.bad_request"
handler403 = "jobs.api.problems.permission_denied"
handler404 = "jobs.api.problems.not_found"
handler500 = "jobs.api.problems.server_error"
