"""Tests for twisted_envoy.extensions.common.file_subscription."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.file_subscription import signatureOf


class SignatureTests(SynchronousTestCase):
    """Whether files have changed."""

    def test_changes(self):
        """By what is written, and by what a link leads to."""
        one, two, link = (self.mktemp() for _ in range(3))
        for path in (one, two):
            with open(path, "w") as file:
                file.write(path)
        os.symlink(os.path.abspath(one), link)
        before = signatureOf([one, link])
        self.assertEqual(signatureOf([one, link]), before)

        os.symlink(os.path.abspath(two), link + "2")
        os.rename(link + "2", link)

        after = signatureOf([one, link])
        self.assertEqual(after[0], before[0])
        self.assertNotEqual(after[1], before[1])

    def test_missing(self):
        """Of a file that is not there, too."""
        self.assertEqual(signatureOf(["/none/at/all"]), (None,))
