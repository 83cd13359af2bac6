"""How Hypothesis draws: the same examples every time, so that a change is what makes a test fail.

``make fuzz`` draws new ones (TULPEN_HYPOTHESIS=fuzz), and more where a test does not say how many.

A shell that runs the tests in the background has them ignore interrupts, and what they
start would too: programs under test are interrupted as a terminal does it.
"""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("fuzz", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("TULPEN_HYPOTHESIS", "same"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
