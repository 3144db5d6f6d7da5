"""For every test: no generated example is timed, because a machine under load would fail it."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
