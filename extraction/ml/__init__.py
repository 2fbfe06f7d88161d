"""The tagger: windows, encoder, two heads in sequence, CRF; no Django."""
