"""Extensions of rate limit descriptors."""
