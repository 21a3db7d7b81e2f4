"""What any long-running process needs: loops under supervision, a clock, private files."""
