"""What OctoMesh's error codes mean to us: those of the published document and those of the published server.

No validation of a document has a code that both tell, so its words are looked at.
"""

from collections.abc import Mapping

from bridge.errors import Denied, Failed, NotFound, Refused, SourceError, Unauthenticated


class Outdated(Refused):
    """A document no longer fits the tenant's schema: the types have to be asked for anew."""


class Lacking(Refused):
    """The tenant's schema has no such type or attribute: it is the configuration, or the command, that has to be mended."""


CODES: Mapping[str, type[SourceError]] = {
    # the document's
    "UNAUTHORIZED": Unauthenticated,
    "FORBIDDEN": Denied,  # the server's too
    "ENTITY_NOT_FOUND": NotFound,
    "VALIDATION_ERROR": Refused,
    "CK_TYPE_NOT_FOUND": NotFound,
    "ASSOCIATION_ERROR": Refused,
    # the server's
    "ASSET1000": Refused,  # invalid arguments
    "ASSET1001": Failed,  # its database
    "ASSET1002": Failed,  # "An error occurred"
    "ASSET1003": Refused,  # an association taken away from what is only being made
    "ASSET1004": Refused,  # what it does not hold valid, or does not find; its OctoDetails say which
    "ASSET1005": Failed,  # its cache
    "ASSET1006": Refused,  # an update of the construction kit
    "STREAMDATA_ARCHIVE_NOT_FOUND": NotFound,
    "STREAMDATA_ARCHIVE_NOT_ACTIVATED": Refused,
    "STREAMDATA_INVALID_TRANSITION": Refused,
    "STREAMDATA_SCHEMA_IMMUTABLE": Refused,
    "STREAMDATA_PATH_INVALID": Refused,
    "STREAMDATA_ACTIVATION_FAILED": Failed,
    "STREAMDATA_ERROR": Failed,
}

WORDS: Mapping[str, type[SourceError]] = {
    "cannot query field": Outdated,
    "unknown argument": Outdated,
    "unknown type": Outdated,
    "is not defined by type": Outdated,
}

FORBIDDEN, NOT_FOUND = 403, 404
STATUSES: Mapping[int, tuple[type[SourceError], str]] = {
    FORBIDDEN: (Denied, "this sign-in does not open the tenant; look at tenant, client_id and scope"),
    NOT_FOUND: (NotFound, "there is no such tenant or address; look at tenant and url"),
}
