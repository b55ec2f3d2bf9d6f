"""Tests for twisted_envoy.extensions.common.tls.secrets, down to the connections."""

from __future__ import annotations

import json
import os

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from tests.extensions.support import configOf, unreadFields
from tests.extensions.transport_sockets.tls.support import Context, Pair, client, server
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls.secrets import keepStaticSecrets, warnOfUnused
from twisted_envoy.interfaces.extensions import POLLED, Node

SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret"
DOWN = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
AUTHORITY = Authority()
FIRST = AUTHORITY.issue("server.test", common="first")
SECOND = AUTHORITY.issue("server.test", common="second")


class SecretTests(SynchronousTestCase):
    """A server whose certificate is a secret."""

    def setUp(self):
        self.path = os.path.abspath(self.mktemp()) + ".json"
        self.context = Context()

    def write(self, name="cert", **content):
        secret = {"@type": f"type.googleapis.com/{SECRET}", "name": name, **content}
        with open(self.path, "w") as file:
            json.dump({"resources": [secret]}, file)

    def source(self, name="cert"):
        return {"name": name, "sds_config": {"path_config_source": {"path": self.path}}}

    def server(self, *sources, **common):
        return server(
            self.context,
            {"common_tls_context": {"tls_certificate_sds_secret_configs": sources, **common}},
        )

    def shown(self, tlsServer, **config):
        """Whose certificate a new connection gets; None without a connection."""
        tlsClient = client(self.context, {"common_tls_context": config})
        pair = Pair(self.context, tlsServer, tlsClient).pump()
        self.pair = pair
        pair.close()
        return None if pair.up is None else pair.up.transport.tls.peer.subject

    def test_file(self):
        """It is in the file, and changes with it; open connections stay."""
        self.write(tls_certificate=FIRST.config)
        tlsServer = self.server(self.source())
        self.assertEqual(self.shown(tlsServer), "CN=first")
        before = self.pair

        self.write(tls_certificate=SECOND.config)
        self.context.reactor.advance(1)

        self.assertEqual(self.shown(tlsServer), "CN=second")
        counter = self.context.stats.counters["server_ssl_socket_factory.ssl_context_update_by_sds"]
        self.assertEqual(counter.value, 2)
        before.up.transport.write(b"still here")
        before.pump()
        self.assertEqual(before.down.received, b"still here")

    def test_filesOfASecret(self):
        """The secret names files, which change."""
        paths = [os.path.abspath(self.mktemp()) for _ in range(2)]

        def fill(issued):
            for path, text in zip(paths, (issued.pem, issued.keyPEM), strict=True):
                with open(path, "w") as file:
                    file.write(text)

        fill(FIRST)
        chain, key = ({"filename": path} for path in paths)
        self.write(tls_certificate={"certificate_chain": chain, "private_key": key})
        tlsServer = self.server(self.source())
        self.assertEqual(self.shown(tlsServer), "CN=first")

        fill(SECOND)
        self.context.reactor.advance(1)

        self.assertEqual(self.shown(tlsServer), "CN=second")

    def test_garbage(self):
        """The old one stays."""
        self.write(tls_certificate=FIRST.config)
        tlsServer = self.server(self.source())
        with open(self.path, "w") as file:
            file.write("{")
        self.context.reactor.advance(1)

        self.assertEqual(self.shown(tlsServer), "CN=first")
        self.assertEqual(self.context.stats.counters["sds.cert.update_failure"].value, 1)

    def test_validation(self):
        """Whom a client trusts may be a secret, too."""
        config = {
            "validation_context_sds_secret_config": {
                "name": "ca",
                "sds_config": {"path_config_source": {"path": self.path}},
            }
        }
        tlsServer = server(
            self.context, {"common_tls_context": {"tls_certificates": [FIRST.config]}}
        )
        self.write("ca", validation_context={"trusted_ca": {"inline_string": AUTHORITY.pem}})
        self.assertEqual(self.shown(tlsServer, **config), "CN=first")

        other = {"inline_string": Authority("other").pem}
        self.write("ca", validation_context={"trusted_ca": other})
        self.context.reactor.advance(1)

        self.assertIsNone(self.shown(tlsServer, **config))

    def test_combined(self):
        """The config's own names are asked for, of whom the secret trusts."""

        def config(name):
            names = [{"san_type": "DNS", "matcher": {"exact": name}}]
            return {
                "combined_validation_context": {
                    "default_validation_context": {"match_typed_subject_alt_names": names},
                    "validation_context_sds_secret_config": {
                        "name": "ca",
                        "sds_config": {"path_config_source": {"path": self.path}},
                    },
                }
            }

        tlsServer = server(
            self.context, {"common_tls_context": {"tls_certificates": [FIRST.config]}}
        )
        self.write("ca", validation_context={"trusted_ca": {"inline_string": AUTHORITY.pem}})
        self.assertEqual(self.shown(tlsServer, **config("server.test")), "CN=first")
        self.assertIsNone(self.shown(tlsServer, **config("other.test")))

        other = {"inline_string": Authority("other").pem}
        self.write("ca", validation_context={"trusted_ca": other})
        self.context.reactor.advance(1)
        self.assertIsNone(self.shown(tlsServer, **config("server.test")))

    def test_static(self):
        """A secret of the bootstrap needs no file."""
        secret = configOf(SECRET, {"name": "cert", "tls_certificate": FIRST.config})
        self.assertEqual(keepStaticSecrets([secret], self.context), 1)

        self.assertEqual(self.shown(self.server({"name": "cert"})), "CN=first")
        self.assertEqual(unreadFields(secret), [])
        again = configOf(SECRET, {"name": "cert", "tls_certificate": FIRST.config})
        self.assertRaises(ConfigError, keepStaticSecrets, [again], self.context)

    def test_unused(self):
        """A secret that nobody names does nothing, whatever its kind; who looks finds a line."""
        views = [
            configOf(SECRET, {"name": name, **content})
            for name, content in (
                ("cert", {"tls_certificate": FIRST.config}),
                ("idle", {"validation_context": {"trusted_ca": {"inline_string": "x"}}}),
                ("other", {"generic_secret": {"secret": {"inline_string": "x"}}}),
            )
        ]
        keepStaticSecrets(views, self.context)
        self.server({"name": "cert"})

        warnOfUnused(self.context)

        self.assertEqual([unreadFields(view) for view in views], [[], [], []])
        self.assertEqual(
            [[one.problem for one in view._record.source.warnings] for view in views],
            [[], ["secret 'idle' is used by nobody"], ["secret 'other' is used by nobody"]],
        )

    def test_mistakes(self):
        """In Envoy's words where it has some."""
        self.write(tls_certificate=FIRST.config)
        with open("bare.json", "w", encoding="utf-8") as file:
            file.write("{}")
        missing = {"name": "a", "sds_config": {"path_config_source": {"path": "/none/x.yaml"}}}
        for source, words in (
            ({"name": "nobody"}, "Unknown static secret: nobody"),
            (missing, "paths must refer to an existing path in the system: '/none/x.yaml'"),
            (self.source("other"), "Unexpected SDS secret (expecting other): cert"),
            ({"name": "a", "sds_config": {"ads": {}}}, "not implemented"),
            ({"name": "a", "sds_config": {"path": "bare.json"}}, "invalid file path bare.json"),
        ):
            problem = self.assertRaises(ConfigError, self.server, source)
            self.assertIn(words, problem.problem)

    def test_notObeyed(self):
        """A field of a secret that nobody reads is refused."""
        self.write(tls_certificate={**FIRST.config, "tls_params": {"ecdh_curves": ["P-256"]}})

        problem = self.assertRaises(ConfigError, self.server, self.source())
        self.assertIn("tls_params", problem.problem)

    def test_nobody(self):
        """A server without a name has no secrets from elsewhere, as in Envoy."""
        self.write(tls_certificate=FIRST.config)
        self.context.node = Node("id", "")

        problem = self.assertRaises(ConfigError, self.server, self.source())
        self.assertIn("TlsCertificateSdsApi: node 'id' and 'cluster' are required", str(problem))

    def test_shared(self):
        """One secret is looked at once, whoever uses it, and all have it at once or none."""
        self.write(tls_certificate=FIRST.config)
        one, two = self.server(self.source()), self.server(self.source())
        (look,) = self.context.singleton(POLLED, list)
        self.write(tls_certificate=SECOND.config)
        self.context.reactor.advance(1)
        look()

        shown = {each.contexts.value[0].certificates[0].leaf for each in (one, two)}
        self.assertEqual(shown, {SECOND.certificate})

    def test_otherKind(self):
        """A secret that is no certificate."""
        self.write(validation_context={})

        self.assertRaises(ConfigError, self.server, self.source())
