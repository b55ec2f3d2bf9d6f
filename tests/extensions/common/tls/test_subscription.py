"""Tests for twisted_envoy.extensions.common.tls.subscription."""

from __future__ import annotations

import json
import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.tls import subscription
from twisted_envoy.extensions.common.tls.certificate import readCertificate
from twisted_envoy.extensions.common.tls.subscription import SecretSubscription, filesOf
from twisted_envoy.stats.scope import Store

SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
AUTHORITY = Authority()
FIRST, SECOND = AUTHORITY.issue("first"), AUTHORITY.issue("second")


def secret(name="cert", **content):
    """A resource of a response."""
    return {"@type": SECRET, "name": name, **content}


class User:
    """Reads certificates."""

    def __init__(self, subscription):
        self.subscription = subscription
        self.value = self.make()
        subscription.add(self)

    def make(self):
        return readCertificate(self.subscription.content).leaf

    def take(self, made):
        self.value = made


class SubscriptionTests(SynchronousTestCase):
    """A secret in a file; counted as Envoy 1.40 counts."""

    def setUp(self):
        self.path = os.path.abspath(self.mktemp())
        self.clock = Clock()
        self.store = Store()
        self.write(secret(tls_certificate=FIRST.config))

    def write(self, *resources, version="1"):
        self.replace(json.dumps({"version_info": version, "resources": resources}))

    def replace(self, text, path=None):
        path = path or self.path
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def subscribe(self, directory=""):
        self.subscription = SecretSubscription(
            "cert", "tls_certificate", self.path, directory, self.store, self.clock.seconds
        )
        self.user = User(self.subscription)

    def look(self):
        self.clock.advance(1)
        self.subscription.look()

    def counted(self):
        names = ("attempt", "success", "failure", "rejected")
        return [self.store.counters[f"sds.cert.update_{name}"].value for name in names]

    def test_changes(self):
        """A new one is taken, at most once a second, with its version."""
        self.subscribe()
        self.assertEqual(self.counted(), [1, 1, 0, 0])
        self.write(secret(tls_certificate=SECOND.config), version="two")
        self.subscription.look()
        self.assertEqual(self.user.value, FIRST.certificate)

        self.look()

        self.assertEqual(self.user.value, SECOND.certificate)
        self.assertEqual(self.counted(), [2, 2, 0, 0])
        self.assertEqual(self.store.textReadouts["sds.cert.version_text"].value, "two")
        self.look()
        self.assertEqual(self.counted(), [2, 2, 0, 0])

    def test_garbage(self):
        """The old one stays; what was wrong is counted and told once."""
        self.subscribe()
        self.replace("{garbage")
        self.look()
        self.look()
        self.assertEqual(self.counted(), [2, 1, 1, 0])

        broken = {**SECOND.config, "private_key": {"inline_string": "x"}}
        bad = (
            [secret(tls_certificate=broken)],
            [secret("other", tls_certificate=SECOND.config)],
            [secret(validation_context={})],
            [],
            [secret(tls_certificate=SECOND.config)] * 2,
        )
        for count, resources in enumerate(bad, 1):
            self.write(*resources, version="bad")
            self.look()
            self.assertEqual(self.counted(), [2 + count, 1, 1, count])
        self.assertEqual(self.user.value, FIRST.certificate)
        self.assertEqual(self.user.make(), FIRST.certificate)
        self.assertEqual(self.store.textReadouts["sds.cert.version_text"].value, "1")

        self.write(secret(tls_certificate=SECOND.config))
        self.look()
        self.assertEqual(self.user.value, SECOND.certificate)

    def test_allOrNobody(self):
        """Where one cannot use it, nobody does."""
        self.subscribe()
        other = User(self.subscription)

        def make():
            raise ConfigError("", "not for me")

        other.make = make
        self.write(secret(tls_certificate=SECOND.config))
        self.look()

        self.assertEqual((self.user.value, other.value), (FIRST.certificate,) * 2)
        self.assertEqual(self.counted(), [2, 1, 0, 1])

    def test_raises(self):
        """Whatever one raises, in making or in taking, all keep what they had; it is logged."""
        self.subscribe()
        third = User(self.subscription)
        for number, method in enumerate(("make", "take", "make", "take"), 1):
            broken = User(self.subscription)

            def raising(*given):
                raise RuntimeError("broken")

            setattr(broken, method, raising)
            self.write(secret(tls_certificate=SECOND.config), version="2")
            self.look()

            for user in (self.user, third, broken):
                self.assertEqual(user.value, FIRST.certificate)
            self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
            self.assertEqual(self.counted(), [1 + number, 1, 0, number])
            self.assertEqual(self.user.make(), FIRST.certificate)
            self.subscription._users.pop()

    def test_unknownType(self):
        """A resource of a type that nobody knows is one that cannot be read."""
        self.subscribe()
        self.write({"@type": "type.googleapis.com/no.such.Type"})
        self.look()
        self.assertEqual((self.counted(), self.user.value), ([2, 1, 1, 0], FIRST.certificate))

    def test_unreadable(self):
        """A file that cannot even be decoded is one that cannot be read."""
        self.subscribe()
        self.patch(subscription, "readResponse", lambda path: 1 // 0)
        self.write(secret(tls_certificate=SECOND.config))
        self.look()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual((self.counted(), self.user.value), ([2, 1, 1, 0], FIRST.certificate))

    def test_goneAway(self):
        """A file that is no more changes nothing."""
        self.subscribe()
        os.unlink(self.path)
        self.look()
        self.assertEqual((self.counted(), self.user.value), ([1, 1, 0, 0], FIRST.certificate))

        self.write(secret(tls_certificate=SECOND.config))
        self.look()
        self.assertEqual(self.user.value, SECOND.certificate)

    def test_files(self):
        """The files that it names change; what is wrong there is a rotation that failed."""
        paths = [os.path.abspath(self.mktemp()) for _ in range(2)]
        chain, key = ({"filename": path} for path in paths)

        def fill(issued):
            for path, text in zip(paths, (issued.pem, issued.keyPEM), strict=True):
                self.replace(text, path)

        fill(FIRST)
        self.write(secret(tls_certificate={"certificate_chain": chain, "private_key": key}))
        self.subscribe()
        fill(SECOND)
        self.look()
        self.assertEqual(self.user.value, SECOND.certificate)
        self.assertEqual(self.counted(), [1, 1, 0, 0])

        self.replace("garbage", paths[1])
        self.look()
        self.look()
        self.assertEqual(self.user.value, SECOND.certificate)
        self.assertEqual(self.store.counters["sds.cert.key_rotation_failed"].value, 1)

        def raising():
            raise RuntimeError("broken")

        self.user.make = raising
        fill(FIRST)
        self.look()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.store.counters["sds.cert.key_rotation_failed"].value, 2)

    def test_folder(self):
        """A folder that is watched: a link in it leads elsewhere."""
        folder = os.path.abspath(self.mktemp())
        os.mkdir(folder)
        self.subscribe(folder)
        before = self.counted()[0]
        self.replace("x", os.path.join(folder, "..data"))
        self.look()

        self.assertEqual(self.counted()[0], before + 1)

    def test_filesOf(self):
        """All that it names."""
        config = {
            "certificate_chain": {"filename": "/a"},
            "private_key": {"inline_string": "x"},
            "ocsp_staple": {"filename": "/b"},
            "watched_directory": {"path": "/c"},
        }
        self.write(secret(tls_certificate={**FIRST.config, **config}))
        content = SecretSubscription.__new__(SecretSubscription)
        content.name, content.kind, content._path = "cert", "tls_certificate", self.path

        self.assertEqual(filesOf(content._read()[0]), ("/a", "/b", "/c"))
