"""What all tests share."""

from hypothesis import settings

# A busy machine is no failure; nothing here asserts how long it takes.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")
