"""The schedules resource: jobs that are submitted again and again."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import plan_of
from accounts.scopes import READ, SUBMIT
from jobs.api.answers import SchedulePage
from jobs.api.idempotency import idempotent
from jobs.api.ownership import owner_of, schedules_of
from jobs.api.pages import PAGE_PARAMETERS, page_of, refuse_filters
from jobs.api.schedule_serializers import ScheduleBodySerializer, ScheduleSerializer
from jobs.api.walks import by_walks
from jobs.models import Schedule
from jobs.queue import schedules
from jobs.queue.schedules import NameTaken


class Schedules(APIView):
    """POST schedules: a new one. GET schedules: one's own, newest first."""

    scopes: ClassVar = {"POST": SUBMIT, "GET": READ}
    http_method_names = ["get", "head", "post"]  # noqa: RUF012 - Django's own attribute

    @extend_schema(request=ScheduleBodySerializer, responses={201: ScheduleSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Answer 201 with the schedule, and its address as Location."""
        owner, plan = owner_of(request), plan_of(request.user)
        asked = ScheduleBodySerializer(data=request.data, context={"plan": plan})
        asked.is_valid(raise_exception=True)
        if plan.schedules and Schedule.objects.filter(owner=owner).count() >= plan.schedules:
            raise ValidationError(f"Your plan has {plan.schedules} schedules.", code="too_many")
        try:
            schedule = schedules.create(**asked.validated_data, owner_id=owner)
        except NameTaken as error:
            raise _taken(error) from None
        location = reverse("api:schedule", args=[schedule.id])
        return Response(
            ScheduleSerializer(schedule).data, status=201, headers={"Location": location}
        )

    @extend_schema(parameters=PAGE_PARAMETERS, responses=SchedulePage)
    def get(self, request: Request) -> Response:
        """Answer 200 with a page, and the addresses of those beside it; also as Link."""
        refuse_filters(request)
        with by_walks():
            page = page_of(request, [schedules_of(request)], owner_of(request))
        return page.response(results=[ScheduleSerializer(one).data for one in page.rows])


class OneSchedule(APIView):
    """GET, PATCH, DELETE schedules/{id}."""

    scopes: ClassVar = {"GET": READ, "PATCH": SUBMIT, "DELETE": SUBMIT}
    http_method_names = ["get", "head", "patch", "delete"]  # noqa: RUF012

    @extend_schema(responses=ScheduleSerializer)
    def get(self, request: Request, schedule_id: str) -> Response:
        """Answer 200, or 404 for an id that is unknown or not an id at all."""
        return Response(ScheduleSerializer(_find(request, schedule_id)).data)

    @extend_schema(request=ScheduleBodySerializer, responses=ScheduleSerializer)
    def patch(self, request: Request, schedule_id: str) -> Response:
        """Answer 200 with the schedule as it is now. What is not given stays."""
        schedule = _find(request, schedule_id)
        asked = ScheduleBodySerializer(
            schedule, data=request.data, partial=True, context={"plan": plan_of(request.user)}
        )
        asked.is_valid(raise_exception=True)
        return _changed(schedule.id, asked.validated_data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, schedule_id: str) -> Response:
        """Answer 204; the jobs that it made stay."""
        try:
            schedules.delete(_find(request, schedule_id).id)
        except Schedule.DoesNotExist:
            raise _unknown() from None
        return Response(status=204)


class PauseSchedule(APIView):
    """POST schedules/{id}/pause."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=ScheduleSerializer)
    def post(self, request: Request, schedule_id: str) -> Response:
        """Answer 200 with the schedule, also when it was paused before."""
        return _changed(_find(request, schedule_id).id, {"paused": True})


class ResumeSchedule(APIView):
    """POST schedules/{id}/resume."""

    scopes: ClassVar = {"POST": SUBMIT}
    http_method_names = ["post"]  # noqa: RUF012

    @extend_schema(request=None, responses=ScheduleSerializer)
    def post(self, request: Request, schedule_id: str) -> Response:
        """Answer 200 with the schedule, also when it was not paused."""
        return _changed(_find(request, schedule_id).id, {"paused": False})


def _changed(schedule_id: UUID, values: dict[str, Any]) -> Response:
    try:
        schedule = schedules.update(schedule_id, **values)
    except NameTaken as error:
        raise _taken(error) from None
    except Schedule.DoesNotExist:
        raise _unknown() from None
    return Response(ScheduleSerializer(schedule).data)


def _find(request: Request, schedule_id: str) -> Schedule:
    try:
        return schedules_of(request).rows.get(id=UUID(schedule_id))
    except (Schedule.DoesNotExist, ValueError):
        raise _unknown() from None


def _unknown() -> NotFound:
    return NotFound("No schedule has this id.")


def _taken(error: NameTaken) -> ValidationError:
    return ValidationError({"name": [ErrorDetail(str(error), "not_unique")]})
