"""From an accepted connection to its terminal filter: listeners, chains, gates and timers."""
