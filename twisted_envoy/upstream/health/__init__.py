"""Whether hosts are fit for use, and who finds that out."""
