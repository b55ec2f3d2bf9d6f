"""Tests for `twisted_envoy.server.admin.redact`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.redact import REDACTED, Redaction


class RedactionTests(PageTestCase):
    """Secrets in messages."""

    def test_wholeMessageBelowAMark(self) -> None:
        """Texts and bytes below a sensitive field are hidden, the rest stays."""
        made = self.kit.new("envoy.extensions.transport_sockets.tls.v3.TlsCertificate")
        made.certificate_chain.inline_string = "public"
        made.private_key.inline_bytes = b"secret"
        made.password.filename = "where"
        Redaction(self.kit).redact(made)
        self.assertEqual(made.certificate_chain.inline_string, "public")
        self.assertEqual(made.private_key.inline_bytes, REDACTED.encode())
        self.assertEqual(made.password.filename, REDACTED)

    def test_insideAny(self) -> None:
        """A packed secret is hidden, too."""
        secret = self.kit.new("envoy.extensions.transport_sockets.tls.v3.Secret", name="s")
        secret.generic_secret.secret.inline_string = "secret"
        made = self.kit.new("envoy.config.core.v3.TransportSocket")
        made.typed_config.Pack(secret)
        Redaction(self.kit).redact(made)
        made.typed_config.Unpack(secret)
        self.assertEqual(secret.generic_secret.secret.inline_string, REDACTED)

    def test_listsAndMaps(self) -> None:
        """Each element and each value of a map."""
        keys = self.kit.new("envoy.extensions.transport_sockets.tls.v3.TlsSessionTicketKeys")
        keys.keys.add(inline_string="one")
        keys.keys.add(inline_string="two")
        settings = self.kit.new("envoy.extensions.filters.http.ext_authz.v3.CheckSettings")
        settings.context_extensions["a"] = "secret"
        generic = self.kit.new("envoy.extensions.transport_sockets.tls.v3.GenericSecret")
        generic.secrets["k"].inline_string = "secret"
        redaction = Redaction(self.kit)
        for message in (keys, settings, generic):
            redaction.redact(message)
        self.assertEqual([key.inline_string for key in keys.keys], [REDACTED, REDACTED])
        self.assertEqual(dict(settings.context_extensions), {"a": REDACTED})
        self.assertEqual(generic.secrets["k"].inline_string, REDACTED)

    def test_everythingHidden(self) -> None:
        """Under a mark numbers become zero, lists of texts are hidden one by one."""
        made = self.kit.new("envoy.config.core.v3.SocketAddress", address="a", port_value=7)
        pattern = self.kit.new("envoy.config.core.v3.Node", listening_addresses=[])
        pattern.client_features.extend(["x", "y"])
        redaction = Redaction(self.kit)
        redaction.redact(made, hide=True)
        redaction.redact(pattern, hide=True)
        self.assertEqual((made.address, made.port_value), (REDACTED, 0))
        self.assertEqual(list(pattern.client_features), [REDACTED, REDACTED])

    def test_unknownContent(self) -> None:
        """What cannot be opened stays, unless it is under a mark."""
        made = self.kit.new("google.protobuf.Any", type_url="x/nobody.knows", value=b"\xff")
        redaction = Redaction(self.kit)
        redaction.redact(made)
        self.assertEqual(made.value, b"\xff")
        redaction.redact(made, hide=True)
        self.assertEqual(made.value, b"")
