"""An extension that is somebody else's package, and how it is found."""
