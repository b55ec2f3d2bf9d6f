"""Extensions of the HTTP connection manager."""
