"""How many examples the properties of the mind try: the same few in every run; many new ones with ``HAVEN_EXAMPLES=thorough``.

The thorough run takes minutes: give it ``--timeout 0``.
"""

import os

from hypothesis import HealthCheck, settings

_SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "quick", max_examples=40, deadline=None, derandomize=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile("thorough", max_examples=2_000, deadline=None, suppress_health_check=_SLOW_IS_FINE)
settings.load_profile(os.environ.get("HAVEN_EXAMPLES", "quick"))
