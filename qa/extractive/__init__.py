"""An answer in the documents' own words: units cut, scored and chosen."""
