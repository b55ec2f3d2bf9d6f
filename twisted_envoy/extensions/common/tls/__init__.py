"""What both ends of TLS are made of: certificates, who is trusted, contexts, counters."""
