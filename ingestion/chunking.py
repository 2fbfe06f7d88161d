"""A document's text to passages of at most 512 tokens, as offsets into it."""
