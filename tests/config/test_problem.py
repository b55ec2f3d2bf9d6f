"""Tests of twisted_envoy.config.problem."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.problem import Problem


class ProblemTests(SynchronousTestCase):
    """How an error gathers its path."""

    def test_pathIsInsideOut(self) -> None:
        """Steps are added from the inside; the innermost one's type is named."""
        problem = Problem("bad")
        problem.within("port", None, "uint32")
        problem.within("<any>", None, "message x.Y")
        problem.within("filters", 2, "message x.Filter")

        self.assertEqual(
            problem.envoyText("x.Root"),
            "INVALID_ARGUMENT: invalid JSON in x.Root @ filters[2].<any>.port: uint32: bad",
        )
        self.assertEqual(problem.userPath(), "filters[2].port")

    def test_atTheRoot(self) -> None:
        """Without steps there is no path and no type."""
        text = Problem("bad").envoyText("x.Root")
        self.assertEqual(text, "INVALID_ARGUMENT: invalid JSON in x.Root: bad")

    def test_withoutPath(self) -> None:
        """Some texts stand alone."""
        problem = Problem("could not find @type 'x'", path=False)
        problem.within("a", None, "string")
        self.assertEqual(problem.envoyText("x.Root"), "INVALID_ARGUMENT: could not find @type 'x'")

    def test_lateInAList(self) -> None:
        """What is wrong behind an element has that element's index, once."""
        problem = Problem("expected ','", late=True)
        problem.within("inner", 3, "string")
        problem.within("outer", 3, "string")
        self.assertEqual(problem.userPath(), "outer[3].inner[2]")
