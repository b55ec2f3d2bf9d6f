"""What other people's programs say of a TLS listener: openssl, curl, sslyze."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from threading import Timer
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, listener, typed
from tests.extensions.common.tls.pki import Authority
from tests.parity.programs import Program, ourCommand
from tests.parity.tls_refusals import downstream

HTTP = "filters.network.http_connection_manager.v3.HttpConnectionManager"
ADMIN = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
CURL = shutil.which("curl")
OPENSSL = shutil.which("openssl")
SSLYZE = os.environ.get("SSLYZE") or shutil.which("sslyze")


def answering(name: str, common: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A listener that answers requests itself; the settings are those of docs/tls.md."""
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok"}},
    }
    hosts = [{"name": "v", "domains": ["*"], "routes": [route]}]
    manager = typed(
        "http",
        HTTP,
        stat_prefix=name,
        route_config={"virtual_hosts": hosts},
        http_filters=[typed("router", "filters.http.router.v3.Router")],
    )
    common = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        **common,
    }
    made = listener(name, "127.0.0.1:0", manager)
    made["filter_chains"][0]["transport_socket"] = downstream(common, **fields)
    return made


class Case(SynchronousTestCase):
    """One program for each class of tests; each test starts it anew."""

    certificates: ClassVar[tuple[str, ...]] = ("ecdsa",)

    def setUp(self) -> None:
        """Start it."""
        self.authority = Authority()
        self.folder = Path(self.mktemp()).resolve()
        certificates = [
            self.authority.issue("localhost", kind=kind).config for kind in self.certificates
        ]
        trusted = {"trusted_ca": {"inline_string": self.authority.pem}}
        text = bootstrap(
            [
                answering("https", {"tls_certificates": certificates}),
                answering(
                    "mutual",
                    {"tls_certificates": certificates, "validation_context": trusted},
                    require_client_certificate=True,
                ),
            ],
            [],
            admin=ADMIN,
        )
        self.program = Program(ourCommand(), self.folder, text)
        self.addCleanup(self.program.stop)

    def file(self, name: str, text: str) -> str:
        """A file's path."""
        path = self.folder / name
        path.write_text(text, "ascii")
        return str(path)

    def run_(self, *command: str, say: bytes = b"") -> str:
        """What it prints."""
        done = subprocess.run(
            command, input=say, capture_output=True, timeout=60, check=False, cwd=self.folder
        )
        return (done.stdout + done.stderr).decode("utf-8", "replace")


class OpenSSLTests(Case):
    """`openssl s_client`."""

    skip = None if OPENSSL else "there is no openssl"

    def client(self, *options: str, listener: str = "https", say: bytes = REQUEST) -> str:
        """One connection."""
        address = f"127.0.0.1:{self.program.port(listener)}"
        return self.run_(
            *(OPENSSL or "", "s_client", "-ign_eof", "-connect", address, *options), say=say
        )

    def test_resumption(self) -> None:
        """A session goes on, in both versions."""
        for version in ("-tls1_2", "-tls1_3"):
            self.assertIn("New, TLSv1", self.client(version, "-sess_out", "session"))
            again = self.client(version, "-sess_in", "session")
            self.assertIn("Reused, TLSv1", again)
            self.assertIn("200 OK", again)

    def test_protocol(self) -> None:
        """ALPN."""
        self.assertIn("ALPN protocol: http/1.1", self.client("-alpn", "http/1.1"))
        self.assertIn("No ALPN negotiated", self.client("-alpn", "nothing"))

    def test_chain(self) -> None:
        """What is configured is sent, and not whom we trust ourselves."""
        self.assertNotIn(" 1 s:", self.client("-showcerts", listener="mutual"))

    def test_certificates(self) -> None:
        """With one, and without."""
        issued = self.authority.issue("client")
        names = ("-cert", self.file("crt", issued.pem), "-key", self.file("key", issued.keyPEM))

        self.assertIn("200 OK", self.client(*names, listener="mutual"))
        for version in ("-tls1_2", "-tls1_3"):
            self.assertNotIn("200 OK", self.client(version, listener="mutual"))

    def test_verified(self) -> None:
        """By who knows its authority."""
        found = self.client(
            "-CAfile", self.file("ca", self.authority.pem), "-servername", "localhost"
        )
        self.assertIn("Verify return code: 0 (ok)", found)

    def test_noRenegotiation(self) -> None:
        """It goes no further than the wish."""
        address = f"127.0.0.1:{self.program.port('https')}"
        client = subprocess.Popen(
            [OPENSSL or "", "s_client", "-tls1_2", "-connect", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        limit = Timer(30, client.kill)
        limit.start()
        assert client.stdin is not None and client.stdout is not None
        client.stdin.write(b"R\n")
        client.stdin.flush()
        found = client.stdout.read()  # it ends by itself
        client.wait()
        limit.cancel()
        client.stdin.close()
        client.stdout.close()

        self.assertIn(b"RENEGOTIATING", found)
        self.assertIn(b"no renegotiation", found)
        self.assertIn("200 OK", self.client())

    def test_oldVersions(self) -> None:
        """Are refused."""
        for version in ("-tls1", "-tls1_1"):
            self.assertNotIn("200 OK", self.client(version, "-cipher", "ALL:@SECLEVEL=0"))


class CurlTests(Case):
    """`curl`."""

    skip = None if CURL else "there is no curl"

    def test_versions(self) -> None:
        """HTTP/2 where both can, verified by the authority."""
        authority = self.file("ca", self.authority.pem)
        port = self.program.port("https")
        for option, expected in (("--http2", ("2 200", "1.1 200")), ("--http1.1", ("1.1 200",))):
            found = self.run_(
                *(CURL or "", "-s", option, "--cacert", authority, "-o", "/dev/null"),
                *("-w", "%{http_version} %{response_code}", f"https://localhost:{port}/"),
            )
            self.assertIn(found, expected)


class SSLyzeTests(Case):
    """sslyze (from PyPI; a program of that name on the path, or in SSLYZE)."""

    skip = None if SSLYZE else "there is no sslyze: pip install sslyze, elsewhere"
    certificates = ("ecdsa", "rsa")

    def test_nothingFound(self) -> None:
        """No old versions, no weak ciphers, none of the known holes."""
        port = self.program.port("https")
        self.run_(SSLYZE or "", f"localhost:{port}", "--json_out", "found.json")
        report = json.loads((self.folder / "found.json").read_text("utf-8"))
        result = report["server_scan_results"][0]["scan_result"]

        def of(name: str) -> Any:
            return result[name]["result"]

        for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
            self.assertEqual(of(f"{version}_cipher_suites")["accepted_cipher_suites"], [])
        suites = of("tls_1_2_cipher_suites")["accepted_cipher_suites"]
        names = [each["cipher_suite"]["name"] for each in suites]
        self.assertEqual(len(names), 6)
        self.assertTrue(all("ECDHE" in name and "CBC" not in name for name in names), names)
        self.assertFalse(of("heartbleed")["is_vulnerable_to_heartbleed"])
        self.assertFalse(of("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"])
        self.assertFalse(of("tls_compression")["supports_compression"])
        self.assertFalse(of("session_renegotiation")["is_vulnerable_to_client_renegotiation_dos"])
        self.assertIn("NOT_VULNERABLE", of("robot")["robot_result"])
