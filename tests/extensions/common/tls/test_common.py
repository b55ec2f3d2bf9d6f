"""Tests for twisted_envoy.extensions.common.tls.common."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.common.tls.common import readCommon
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.stats.scope import Store

TYPE = "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"
AUTHORITY = Authority()


class CommonTests(SynchronousTestCase):
    """What both sides read."""

    def test_nothing(self):
        """A context may be missing."""
        common = readCommon(None, TLSStats(Store().scope("ssl.")), False)
        settings, certificates = common.resolve()

        self.assertEqual((settings.protocols, certificates), ((), ()))

    def test_everything(self):
        """Certificates with the time of their end; ALPN; what is trusted."""
        store = Store()
        view = configOf(
            TYPE,
            {
                "tls_certificates": [AUTHORITY.issue("a.test").config],
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {},
                "validation_context": {"trusted_ca": {"inline_string": AUTHORITY.pem}},
                "custom_handshaker": {
                    "name": "x",
                    "typed_config": {"@type": "type.googleapis.com/google.protobuf.Empty"},
                },
            },
        )
        common = readCommon(view, TLSStats(store.scope("ssl.")), True, True)
        settings, certificates = common.resolve()

        self.assertEqual(settings.protocols, (b"h2", b"http/1.1"))
        self.assertTrue(settings.verifier.required)
        self.assertEqual(len(certificates), 1)
        self.assertEqual(len([name for name in store.gauges if "expiration" in name]), 2)
        self.assertEqual(unreadFields(view), ["custom_handshaker"])

    def test_keyLog(self):
        """Lines go to the end of the file; a file that cannot be written is no more than told."""
        for path, expected in ((self.mktemp(), b"one\ntwo\n"), ("/none/at/all", None)):
            view = configOf(TYPE, {"key_log": {"path": path}})
            keyLog = readCommon(view, TLSStats(Store().scope("ssl.")), True).keyLog
            keyLog(b"one")
            keyLog(b"two")
            if expected is not None:
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), expected)
            self.assertEqual(unreadFields(view), [])
