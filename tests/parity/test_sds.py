"""Secrets in files: what is counted and shown when they change, for better and for worse."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from tests.bootstraps import echo, listener
from tests.parity.programs import until
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_client import TLSPeer, clientContext
from tests.parity.tls_refusals import downstream

SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


def secret(name: str, **content: Any) -> dict[str, Any]:
    """A resource."""
    return {"@type": SECRET, "name": name, **content}


def replace(path: Path, text: str) -> None:
    """Move a new file into place, as only counts in Envoy."""
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    os.replace(new, path)


def respond(path: Path, *resources: dict[str, Any], version: str = "1") -> None:
    """Write a DiscoveryResponse."""
    replace(path, json.dumps({"version_info": version, "resources": list(resources)}))


class SDSTests(ParityTestCase):
    """Both look at the same files."""

    folder: Path

    def setUp(self) -> None:
        """The files, first."""
        cls = type(self)
        if not hasattr(cls, "folder"):
            cls.folder = Path(tempfile.mkdtemp(prefix="sds", dir=os.path.abspath(".")))
            who = pki()
            respond(cls.folder / "cert.json", secret("cert", tls_certificate=who.own.config))
            trusted = {"trusted_ca": {"inline_string": who.authority.pem}}
            respond(cls.folder / "ca.json", secret("ca", validation_context=trusted))
            named = {}
            for field, text in (
                ("certificate_chain", who.own.pem),
                ("private_key", who.own.config["private_key"]["inline_string"]),
                ("trusted_ca", who.authority.pem),
            ):
                path = cls.folder / f"{field}.pem"
                path.write_text(text, "utf-8")
                named[field] = {"filename": str(path)}
            trusted = {"trusted_ca": named.pop("trusted_ca")}
            respond(cls.folder / "files.json", secret("files", tls_certificate=named))
            respond(cls.folder / "trusted.json", secret("trusted", validation_context=trusted))
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        def source(name: str) -> dict[str, Any]:
            path = str(cls.folder / f"{name}.json")
            return {"name": name, "sds_config": {"path_config_source": {"path": path}}}

        common = {
            "tls_certificate_sds_secret_configs": [source("cert")],
            "combined_validation_context": {
                "default_validation_context": {},
                "validation_context_sds_secret_config": source("ca"),
            },
        }
        files = {"tls_certificate_sds_secret_configs": [source("files")]}
        files["validation_context_sds_secret_config"] = source("trusted")
        other = listener("files", "127.0.0.1:0", echo(), stat_prefix="files")
        other["filter_chains"][0]["transport_socket"] = downstream(
            files, require_client_certificate=False
        )
        made = listener("l", "127.0.0.1:0", echo(), stat_prefix="l")
        made["filter_chains"][0]["transport_socket"] = downstream(
            common, require_client_certificate=False
        )
        return served([made, other], node={"id": "i", "cluster": "c"})

    def changed(self, attempts: int, name: str = "cert") -> Any:
        """What is there when so many updates were tried."""

        def scenario(side: Side) -> object:
            counter = f"sds.{name}.update_attempt: {attempts}\n"
            until(lambda: counter in side.program.admin("/stats") or None)
            page = json.loads(side.program.admin("/certs"))
            page["certificates"].sort(key=json.dumps)  # in Envoy's order of memory
            seen = TLSPeer(side.connect("l"), clientContext()).exchange()
            return page, seen["subject"]

        stats = r"^sds\.(?!.*(update_time|update_duration))|ssl_context_update"
        return self.same(scenario, stats)[1]

    def test_life(self) -> None:
        """From a good secret over all kinds of bad ones to another good one."""
        who, path = pki(), self.folder / "cert.json"
        self.assertEqual(self.changed(1), "CN=own")
        peers = [TLSPeer(side.connect("l"), clientContext()) for side in self.sides]
        for peer in peers:
            peer.shake()

        second = secret("cert", tls_certificate=who.second.config)
        respond(path, second, version="2")
        self.assertEqual(self.changed(2), "CN=second")
        broken = {**who.own.config, "private_key": who.rsa.config["private_key"]}
        replace(path, "{garbage")
        self.assertEqual(self.changed(3), "CN=second")
        for count, resources in enumerate(
            (
                [secret("cert", tls_certificate=broken)],
                [secret("other", tls_certificate=who.own.config)],
                [secret("cert", validation_context={})],
                [],
                [second, second],
            ),
            4,
        ):
            respond(path, *resources, version=str(count))
            self.assertEqual(self.changed(count), "CN=second")

        respond(path, secret("cert", tls_certificate=who.rsa.config), version="last")
        self.assertEqual(self.changed(9), "CN=rsa")
        self.assertEqual([peer.exchange()["heard"] for peer in peers], [b"hello"] * 2)

    def test_files(self) -> None:
        """Secrets that name files: how they are called."""

        def scenario(side: Side) -> object:
            until(lambda: ".certificate.files." in side.program.admin("/stats") or None)
            return TLSPeer(side.connect("files"), clientContext()).exchange()["subject"]

        self.same(scenario, r"^listener\.files\.ssl\.certificate")

    def test_trust(self) -> None:
        """Whom a server trusts."""
        path = self.folder / "ca.json"
        respond(path, secret("ca", validation_context={"trusted_ca": {"inline_string": "x"}}))
        self.changed(2, "ca")
        other = {"trusted_ca": {"inline_string": pki().other.pem}}
        respond(path, secret("ca", validation_context=other), version="2")
        self.changed(3, "ca")

    def test_dump(self) -> None:
        """/config_dump tells what was taken last."""

        def scenario(side: Side) -> object:
            page = json.loads(side.program.admin("/config_dump?resource=dynamic_active_secrets"))
            found = page["configs"]
            for one in found:
                one.pop("last_updated")
            return sorted(found, key=lambda one: str(one["name"]))

        found = self.same(scenario)
        self.assertEqual([one["name"] for one in found], ["ca", "cert", "files", "trusted"])
