"""A row with what a submission says."""

from django.db import models


class Order(models.Model):
    """One row a request."""

    source_file = models.CharField(max_length=255)
    target_format = models.CharField(max_length=50)
    priority = models.SmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "plain_view"

    def __str__(self) -> str:
        return self.source_file
