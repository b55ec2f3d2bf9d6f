"""What matching extensions share."""
