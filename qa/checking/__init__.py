"""What a sentence claims and whether its quotes carry it: pure parts of `qa.verifying`."""
