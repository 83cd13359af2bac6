"""Every requirement of Appendix B has a test that names it, or a reason; and no mark names one that is none."""

from __future__ import annotations

import pytest

from tests.rfc9293 import conformance

FINDINGS = conformance.findings()


def test_appendix_b_has_119_requirements() -> None:
    assert len({finding.requirement.id for finding in FINDINGS}) == len(FINDINGS) == 119


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.requirement.id)
def test_there_is_a_test_or_a_reason(finding: conformance.Finding) -> None:
    assert finding.tests or finding.reason, finding.requirement.feature
    assert not (finding.tests and finding.reason), f"a reason, and yet tests: {finding.tests}"


def test_marks_and_reasons_name_requirements() -> None:
    known = {finding.requirement.id for finding in FINDINGS}
    assert set(conformance.marks()) <= known
    assert set(conformance.reasons()) <= known
