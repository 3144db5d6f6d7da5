"""The published examples of RFC 7515 (ES256) and RFC 9449 (DPoP)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from federation.contract.clock import FixedClock
from federation.contract.errors import ProofError, TokenError
from federation.trust.jose import require_signature
from federation.trust.keys import VerifyKey
from federation.trust.tokens import verify_dpop

pytestmark = pytest.mark.conformance

RFC_7515_A_3_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
RFC_7515_A_3 = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
DPOP_HEADER = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
RFC_9449_TOKEN_PROOF = (
    f"{DPOP_HEADER}"
    ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0"
    "IjoxNTYyMjYyNjE2fQ"
    ".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_9449_RESOURCE_PROOF = (
    f"{DPOP_HEADER}"
    ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRy"
    "ZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RFC_9449_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_9449_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def at(seconds: int) -> FixedClock:
    return FixedClock(datetime.fromtimestamp(seconds, UTC))


def test_the_es256_example_of_rfc_7515_verifies() -> None:
    require_signature(RFC_7515_A_3, VerifyKey.from_jwk(RFC_7515_A_3_KEY))
    with pytest.raises(TokenError):
        require_signature(RFC_7515_A_3[:-4] + "AAAA", VerifyKey.from_jwk(RFC_7515_A_3_KEY))


def test_the_proof_of_rfc_9449_for_the_token_endpoint_verifies() -> None:
    proof = verify_dpop(RFC_9449_TOKEN_PROOF, "POST", "https://server.example.com/token", at(1562262616))
    assert (proof.jti, proof.jkt) == ("-BwC3ESc6acc2lTc", RFC_9449_THUMBPRINT)


def test_the_proof_of_rfc_9449_for_a_resource_verifies_with_its_token() -> None:
    target = "https://resource.example.org/protectedresource"
    proof = verify_dpop(RFC_9449_RESOURCE_PROOF, "GET", target, at(1562262618), RFC_9449_TOKEN)
    assert proof.jkt == RFC_9449_THUMBPRINT
    with pytest.raises(ProofError):
        verify_dpop(RFC_9449_RESOURCE_PROOF, "GET", target, at(1562262618), RFC_9449_TOKEN + "x")
