"""What Kraken's error codes mean to us. The code decides, the words of its message only where the code is unknown.

A wrong password is a VALIDATION, an expired token an APPLICATION and too many requests an AUTHORIZATION: the classes mislead.
"""

from collections.abc import Mapping

from bridge.errors import Denied, NotFound, RateLimited, Refused, SourceError, Unauthenticated, Unreachable


class Outdated(Refused):
    """A document of ours no longer fits the provider's schema: nothing but a new version mends it."""


UNAUTHORISED_FIELD = "KT-CT-1111"  # a token that is no longer good, or a field that this account may not see

CODES: Mapping[str, type[SourceError]] = {
    UNAUTHORISED_FIELD: Denied,
    "KT-CT-1112": Unauthenticated,  # no Authorization header
    "KT-CT-1113": Refused,  # a field that is switched off
    "KT-CT-1120": Unauthenticated,  # the token has expired
    "KT-CT-1124": Unauthenticated,  # likewise, by its signature
    "KT-CT-1128": Denied,
    "KT-CT-1129": Denied,
    "KT-CT-1130": Denied,
    "KT-CT-1131": Denied,
    "KT-CT-1132": Denied,
    "KT-CT-1134": Unauthenticated,
    "KT-CT-1135": Unauthenticated,
    "KT-CT-1138": Unauthenticated,  # wrong e-mail or password
    "KT-CT-1139": Unauthenticated,  # wrong key; now and then also for a good one
    "KT-CT-1143": Unauthenticated,
    "KT-CT-1188": Refused,  # complexity over 200
    "KT-CT-1189": Refused,  # more than 10,000 nodes
    "KT-CT-1199": RateLimited,
    "KT-CT-4123": NotFound,  # "Unauthorized" for an account that is not ours
    "KT-CT-4177": NotFound,
    "KT-CT-4301": NotFound,  # no such device
    "KT-CT-4313": NotFound,
    "KT-CT-4321": Refused,
    "KT-CT-4340": Unreachable,  # planned dispatches cannot be had at present
    "KT-CT-4353": Refused,
    "KT-CT-4354": Refused,
    "KT-CT-4355": Refused,
    "KT-CT-4356": Refused,
    "KT-CT-4357": Refused,
    "KT-CT-4358": Refused,
    "KT-CT-4359": Refused,
    "KT-CT-4362": Refused,
    "KT-CT-4363": NotFound,
    "KT-CT-4364": Refused,
    "KT-CT-9201": NotFound,  # no loyalty ledger
    "KT-CT-9203": NotFound,  # an empty one
    "KT-CT-9205": Refused,
    "KT-CT-9206": Refused,
    "KT-CT-11100": Unauthenticated,  # a tenant that takes no API key
    "KT-GB-4021": NotFound,  # there is no such meter point, or it has no agreement
    "KT-GB-4022": NotFound,
    "KT-GB-4028": NotFound,
    "KT-GB-4029": NotFound,
    "KT-GB-4030": NotFound,
    "KT-GB-4120": NotFound,
    "KT-GB-5110": NotFound,
    "KT-GB-5111": NotFound,
    "KT-GB-5112": Refused,
    "KT-GB-5114": NotFound,  # no such saving session
    "KT-GB-5115": Refused,
    "KT-GB-5116": Refused,
    "KT-GB-5117": Refused,
    "OE-0103": Unauthenticated,  # the gateway's word for a token that it does not take
}

WORDS: Mapping[str, type[SourceError]] = {
    "unauthorized": Denied,  # two dozen codes say just this, each of another field
    "invalid data": Refused,
    # a document that no longer fits the schema comes without a code
    "cannot query field": Outdated,
    "unknown argument": Outdated,
    "unknown type": Outdated,
    "is not defined by type": Outdated,
}
