"""Decisions about alerts, pure: whom a match concerns, what becomes of an alert, what an edit changes."""
