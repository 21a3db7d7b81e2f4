"""The only SQL: one file for a subject. Functions take a `Transaction` to write, a `Reader` to ask."""
