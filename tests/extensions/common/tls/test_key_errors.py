"""Tests for twisted_envoy.extensions.common.tls.key_errors."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from twisted_envoy.extensions.common.tls.key_errors import causeOf, mismatchOf

ISSUED = Authority().issue("a")
ENCRYPTED = ISSUED.key.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
)


class CauseTests(SynchronousTestCase):
    """Observed with Envoy 1.40."""

    def test_causes(self):
        """What the library says, in BoringSSL's words."""
        for data, password, words in (
            (b"garbage", None, "error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE"),
            (
                ISSUED.keyPEM[:100].encode(),
                None,
                "error:09000066:PEM routines:OPENSSL_internal:BAD_END_LINE",
            ),
            (ENCRYPTED, None, "error:09000068:PEM routines:OPENSSL_internal:BAD_PASSWORD_READ"),
            (ENCRYPTED, b"no", "error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT"),
        ):
            problem = self.assertRaises(
                (ValueError, TypeError), load_pem_private_key, data, password
            )
            self.assertEqual(causeOf(data, problem), words)

    def test_unknown(self):
        """Its own words where there are no others."""
        data = b"-----BEGIN X-----\n-----END X-----"

        self.assertEqual(causeOf(data, ValueError("what")), "what")

    def test_mismatch(self):
        """A key of another kind, or another key of the kind."""
        own, other = ISSUED.key, Authority().issue("a", kind="rsa").key

        self.assertIn("KEY_TYPE_MISMATCH", mismatchOf(own.public_key(), other.public_key()))
        self.assertIn("KEY_VALUES_MISMATCH", mismatchOf(own.public_key(), own.public_key()))
