"""The base class of serializers, whose fields accept only the JSON type that they document."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import Field
from rest_framework.validators import UniqueValidator

from rest.exceptions import MAX_NAME, MAX_UNKNOWN
from rest.models import PositionField
from rest.statements import MAX_ID


class Strict(Field):  # type: ignore[type-arg]
    """Refuse JSON of another type, which DRF would convert. HTML forms send all values as text."""

    json_type: type

    def to_internal_value(self, data: Any) -> Any:
        text_of_form = self.context.get("form") and isinstance(data, str)
        if type(data) is not self.json_type and not text_of_form:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictCharField(Strict, serializers.CharField):
    json_type = str


class StrictSlugField(Strict, serializers.SlugField):
    json_type = str


class StrictIntegerField(Strict, serializers.IntegerField):
    json_type = int

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(as_integer(data))


class StrictChoiceField(serializers.ChoiceField):
    """Refuse JSON that is not one of the choices itself, such as 1 for "1"."""

    # DRF's message repeats the value, which may be long.
    default_error_messages = {"invalid_choice": "This is not one of the choices."}

    def to_internal_value(self, data: Any) -> Any:
        is_choice = any(type(data) is type(each) and data == each for each in self.choices)
        if not is_choice and not self.context.get("form"):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


class StrictBooleanField(Strict, serializers.BooleanField):
    json_type = bool


class StrictDateField(Strict, serializers.DateField):
    """``YYYY-MM-DD`` and no other form of ISO 8601."""

    json_type = str
    default_error_messages = {"invalid": "A date such as 2027-02-28 is required."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", data):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_ID})
class ReferenceField(serializers.PrimaryKeyRelatedField):  # type: ignore[type-arg]
    """The id of another row. Whether that row exists is checked by the statement that writes."""

    default_error_messages = {"invalid": "A valid integer is required."}

    def __init__(self, **kwargs: Any) -> None:
        # In the browsable API's form a number, not a choice among all rows.
        kwargs.setdefault("style", {"base_template": "input.html", "input_type": "number"})
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if self.context.get("form") and re.fullmatch("[0-9]{1,19}", str(data)):
            data = int(str(data))
        data = as_integer(data)
        if type(data) is not int:
            self.fail("invalid")
        if not 0 < data <= MAX_ID:
            self.fail("does_not_exist", pk_value=data)
        return data

    def to_representation(self, value: Any) -> Any:
        return getattr(value, "pk", value)


class RowURLField(serializers.HyperlinkedIdentityField):
    """The URL of a row, which the database puts into the JSON."""

    def to_representation(self, value: Any) -> Any:
        return value[self.field_name]


class ResourceSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    """The members of a resource. Statements writes them as JSON; this class validates them.

    Meta has, besides what DRF wants, ``example``: a row as JSON for the OpenAPI document.

    PUT replaces a row: an optional member that it omits returns to the default of its model
    field. Positions, foreign keys and fields with a db_default are the exceptions and stay.
    """

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: StrictCharField,
        models.TextField: StrictCharField,
        models.SlugField: StrictSlugField,
        models.IntegerField: StrictIntegerField,
        models.BigIntegerField: StrictIntegerField,
        models.SmallIntegerField: StrictIntegerField,
        models.PositiveIntegerField: StrictIntegerField,
        models.PositiveBigIntegerField: StrictIntegerField,
        models.PositiveSmallIntegerField: StrictIntegerField,
        models.BooleanField: StrictBooleanField,
        models.DateField: StrictDateField,
    }
    serializer_choice_field = StrictChoiceField
    serializer_related_field = ReferenceField
    serializer_url_field = RowURLField

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if model_field.has_db_default():
            kwargs["required"] = False
        elif kwargs.get("required") is False and not isinstance(model_field, PositionField):
            del kwargs["required"]  # what may only be blank in a form is required here
            if model_field.has_default():
                kwargs["default"] = model_field.default  # a callable makes one for each row
            elif model_field.null or model_field.get_default() is not None:
                kwargs["default"] = model_field.get_default()
        # Looking for another row with the same value proves nothing, since one may be inserted
        # at the same time. The database refuses a second one, which is answered with 409.
        validators = [
            each for each in kwargs.get("validators", ()) if not isinstance(each, UniqueValidator)
        ]
        if validators or "validators" in kwargs:
            kwargs["validators"] = validators
        return field_class, kwargs

    def written(self, data: Any) -> dict[str, Any]:
        """The members of a valid body that clients may write; 1.0 and 1 are the same."""
        return {
            name: as_integer(data[name])
            for name, field in self.fields.items()
            if not field.read_only and name in data
        }

    def get_unique_together_validators(self) -> list[Any]:
        """None: the database checks uniqueness, see build_standard_field."""
        return []

    def get_uniqueness_extra_kwargs(
        self, field_names: Any, declared_fields: Any, extra_kwargs: Any
    ) -> Any:
        """Unchanged: a member that is unique with others is not required because of that."""
        return extra_kwargs, {}

    def to_internal_value(self, data: Any) -> Any:
        invalid: dict[str, list[Any]] = {}
        if isinstance(data, Mapping) and not self.context.get("form"):
            # No member takes an array or object, so every field refuses one. Many of DRF's fields
            # convert it to text first, which fails if it is nested deeply. An empty array does not.
            data = {
                name: [] if isinstance(value, dict | list) else value
                for name, value in data.items()
            }
            known = ", ".join(self.fields)
            unknown = [name for name in data if name not in self.fields]
            for name in unknown[:MAX_UNKNOWN]:
                invalid[name[:MAX_NAME]] = [f"This member is unknown; known are {known}."]
        try:
            values = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**error.detail, **invalid}) from None  # type: ignore[dict-item]
        if invalid:
            raise ValidationError(invalid)
        return values


def as_integer(data: Any) -> Any:
    """1.0 as 1: JSON does not distinguish them."""
    return int(data) if type(data) is float and data.is_integer() else data
