"""What a question names: companies, periods, kinds, metrics, and words to search for besides."""
