"""How brokers are reached: the one that we publish to, and one that a provider publishes to."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine itself, as its name or address says; nothing is looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_a_file(path: Path) -> Path:
    try:
        readable = path.is_file()
    except OSError:  # such as a name that is too long
        readable = False
    if not readable:
        raise ValueError("is not a file that can be read")
    return path


ReadableFile = Annotated[Path, AfterValidator(_is_a_file)]


class TlsSettings(BaseModel):
    """`[mqtt.tls]`: encrypted where this section stands; a client certificate is two files."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ca_file: ReadableFile | None = None  # default: the system's certificates
    cert_file: ReadableFile | None = None
    key_file: ReadableFile | None = None

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class MqttSettings(BaseModel):
    """`[mqtt]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "localhost"
    port: int = Field(default=1883, ge=1, le=65535)
    base_topic: str = "kwh2mqtt"
    protocol: Literal["5", "3.1.1"] = "5"
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: str = "/mqtt"
    username: str | None = None
    password: SecretStr | None = None
    client_id: str | None = None  # default: kwh2mqtt- and a number of this installation
    keepalive: int = Field(default=60, ge=5, le=65535)  # s
    tls: TlsSettings | None = None

    @field_validator("base_topic")
    @classmethod
    def _is_a_topic(cls, topic: str) -> str:
        if not topic or topic != topic.strip("/") or "//" in topic or set(topic) & set("+#\0") or topic.startswith("$"):
            raise ValueError("must be a topic without wildcards, such as kwh2mqtt or home/energy")
        return topic

    @field_validator("protocol", mode="before")
    @classmethod
    def _number_as_text(cls, protocol: object) -> object:
        return str(protocol) if isinstance(protocol, int) else protocol

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


class AmqpServerSettings(BaseModel):
    """An AMQP broker of a provider's; a section that needs one adds its own keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)  # default: 5671 with TLS, 5672 without
    virtual_host: str = "/"
    username: str
    password: SecretStr
    tls: bool | None = None  # default: true, except to a loopback address
    ca_file: ReadableFile | None = None  # default: the system's certificates

    @property
    def is_encrypted(self) -> bool:
        return not is_loopback(self.host) if self.tls is None else self.tls

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port or (5671 if self.is_encrypted else 5672)}"
