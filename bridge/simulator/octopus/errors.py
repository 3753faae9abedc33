"""The errors of Kraken: a message, a code, a type, and often a description.

A client has to go by the code: the same trouble comes under different types.
"""

from typing import Any

from graphql import GraphQLError

AUTHORIZATION, VALIDATION, APPLICATION, NOT_FOUND = "AUTHORIZATION", "VALIDATION", "APPLICATION", "NOT_FOUND"
INVALID = "Invalid data."

# code → message, type, description; None where an error of that code is known to come without one
KNOWN: dict[str, tuple[str, str, str | None]] = {
    "KT-CT-1111": ("Unauthorized.", AUTHORIZATION, "Neither the viewer's authentication nor a role of theirs allows this."),
    "KT-CT-1112": ("'Authorization' header not provided.", AUTHORIZATION, None),
    "KT-CT-1124": ("Signature of the JWT has expired.", APPLICATION, ""),
    "KT-CT-1135": (INVALID, VALIDATION, "Exactly one way to authenticate is wanted."),
    "KT-CT-1138": (INVALID, VALIDATION, "Please make sure the credentials are correct."),
    "KT-CT-1139": (INVALID, VALIDATION, "Authentication failed."),
    "KT-CT-1199": ("Too many requests.", AUTHORIZATION, "More requests came than are allowed; wait a while."),
    "KT-CT-4123": ("Unauthorized.", AUTHORIZATION, ""),
    "KT-CT-4177": ("Unauthorized.", AUTHORIZATION, "The viewer has no access to that account."),
    "KT-CT-4301": ("Unable to find device for given account.", NOT_FOUND, ""),
    "KT-CT-4321": ("Serializer validation error.", VALIDATION, ""),
    "KT-CT-4340": ("Unable to fetch planned dispatches.", APPLICATION, ""),
    "KT-CT-4353": ("An error occurred while trying to update your charging preferences.", APPLICATION, ""),
    "KT-CT-4354": ("Unable to cancel boost charge.", APPLICATION, ""),
    "KT-CT-4357": ("Unable to trigger boost charge.", APPLICATION, ""),
    "KT-GB-5114": ("Saving Sessions event not found.", NOT_FOUND, ""),
    "KT-GB-5115": ("Error joining event.", APPLICATION, ""),
    "KT-GB-5116": ("Account is not part of a Saving Sessions campaign.", VALIDATION, ""),
    "KT-GB-5117": ("Account ineligible to join Saving Sessions event.", VALIDATION, ""),
    "OE-0103": ("Authentication failed.", AUTHORIZATION, ""),
}


def kraken_error(code: str, **more: object) -> GraphQLError:
    """Return the error of that code; `more` joins its extensions."""
    message, kind, description = KNOWN[code]
    described = {} if description is None else {"errorDescription": description}
    return GraphQLError(message, extensions={"errorType": kind, "errorCode": code, **described, **more})


def input_error(code: str, *path: str) -> GraphQLError:
    """Return the error of a bad input, which tells at which `path` the input was bad."""
    found: list[dict[str, Any]] = [{"message": KNOWN[code][2], "inputPath": list(path)}]
    return kraken_error(code, errorClass=VALIDATION, validationErrors=found)


def odd(message: str) -> GraphQLError:
    """Return an error of validation for which no code is known."""
    return GraphQLError(message, extensions={"errorType": VALIDATION, "errorCode": "", "errorDescription": ""})
