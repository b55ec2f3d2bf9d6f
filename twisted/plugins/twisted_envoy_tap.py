"""`twistd envoy`. Nothing of twisted_envoy is imported before the command is used."""

from twisted.application.service import ServiceMaker


class EnvoyMaker(ServiceMaker):
    """Imports the command while the garbage collector rests: a start is shorter by that."""

    @property
    def options(self) -> object:
        """The class of the command's options."""
        import gc

        from twisted_envoy.config.collector import collectorPaused

        with collectorPaused():
            found: object = super().options
            gc.freeze()  # else it looks at all of it when it goes on
        return found


twistedEnvoy = EnvoyMaker(  # type: ignore[no-untyped-call]
    "twisted_envoy", "twisted_envoy.server.tap", "Envoy inside Twisted.", "envoy"
)
