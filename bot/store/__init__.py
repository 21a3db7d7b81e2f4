"""The only SQL: values come in and are committed rows, questions come in and values go out."""
