"""Whether anything is missing: marks, dates and counts come in; how each channel stands goes out."""
