"""Matching, pure: texts and typed queries come in, spans to highlight go out; no input, no output, no clock."""
