"""From an understood question to ranked passages: looks planned, carried out and reranked."""
