"""What edits the headers of requests before all else."""
