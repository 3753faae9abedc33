"""What every payload has in common: how it is written as JSON."""

from datetime import datetime
from decimal import Context, Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

SCHEMA_VERSION = 1

MEAN, ROUGH = Context(prec=7), Context(prec=5)  # digits of what we have reckoned: no reader needs more

Number = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
Rounded = Annotated[Decimal, PlainSerializer(lambda value: float(MEAN.plus(value)), return_type=float)]  # in answers too
Short = Annotated[Decimal, PlainSerializer(lambda value: float(ROUGH.plus(value)), return_type=float, when_used="json")]

Second = Annotated[datetime, PlainSerializer(lambda moment: moment.replace(microsecond=0), when_used="json")]


class Payload(BaseModel):
    """The base of every JSON object that is published."""

    model_config = ConfigDict(frozen=True)

    def encoded(self) -> bytes:
        return self.model_dump_json().encode()
