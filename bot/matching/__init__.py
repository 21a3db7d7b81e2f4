"""Texts matched against typed queries, pure: no input, no output, no clock."""
