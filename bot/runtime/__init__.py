"""What any long-running process needs: loops under supervision, a clock, logs, private files."""
