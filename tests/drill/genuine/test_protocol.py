from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tulpen.drill.genuine.build import SOURCE
from tulpen.drill.genuine.protocol import ARGUMENTS, VERSION, Answer, Garbled, Op, Question, take_answer, take_question

int64 = st.integers(-(2**63), 2**63 - 1)
questions = st.builds(
    Question, st.sampled_from(Op), st.lists(int64, min_size=ARGUMENTS, max_size=ARGUMENTS).map(tuple), st.binary()
)
answers = st.builds(Answer, int64, int64, int64, st.integers(0, 200), st.binary())


@given(st.lists(questions))
def test_questions_come_out_as_they_went_in(asked: list[Question]) -> None:
    buffer = bytearray(b"".join(question.encode() for question in asked))
    assert [take_question(buffer) for _ in asked] == asked
    assert take_question(buffer) is None
    assert not buffer


@given(questions, st.data())
def test_part_of_a_question_is_none(question: Question, data: st.DataObject) -> None:
    whole = question.encode()
    part = bytearray(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert take_question(part) is None


@given(answers)
def test_answers_come_out_as_they_went_in(answer: Answer) -> None:
    buffer = bytearray(answer.encode())
    assert take_answer(buffer) == answer
    assert not buffer


@given(st.binary())
def test_no_octets_do_harm(octets: bytes) -> None:
    buffer = bytearray(octets)
    try:
        while take_question(buffer) is not None:
            pass
    except Garbled:
        pass


def test_both_sides_number_alike() -> None:
    source = SOURCE.read_text()
    listed = re.search(r"enum op \{(.*?)\}", source, re.DOTALL)
    assert listed is not None
    number, found = 0, {}
    for word in re.findall(r"(\w+)(?: = (\d+))?,", listed[1]):
        number = int(word[1]) if word[1] else number + 1
        found[word[0]] = number
    assert found == {op.name: op.value for op in Op}
    assert f"#define VERSION {VERSION}\n" in source
    assert f"#define ARGUMENTS {ARGUMENTS}\n" in source
