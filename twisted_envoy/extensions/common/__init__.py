"""What extensions of several categories share, one package or module per subject."""
