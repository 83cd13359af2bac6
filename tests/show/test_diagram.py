"""The diagram is the table: every row is an arrow or a note, in every form."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

from tulpen.show.diagram import arrows, as_dot, as_mermaid, as_text, notes
from tulpen.show.diagram_svg import BOX_HEIGHT, BOX_WIDTH, HEIGHT, WIDTH, Box, as_svg, layout, place
from tulpen.tcp.state import TRANSITIONS, State


def test_every_row_is_an_arrow_or_in_a_note() -> None:
    noted = [row for note in notes() for row in note.rows]
    assert sorted([*arrows(), *noted]) == sorted(TRANSITIONS)


def test_notes() -> None:
    assert [note.text for note in notes()] == [
        "SYN-RECEIVED to CLOSE-WAIT on FIN (§3.10.7.4) is a row that is never taken: "
        "step five has always left SYN-RECEIVED before step eight sees the FIN.",
        "RESET leads from every state but LISTEN to CLOSED.",
        "GAVE UP leads from every state but LISTEN and TIME-WAIT to CLOSED.",
        "ABORT leads from every state to CLOSED and sends RST, "
        "not from LISTEN, SYN-SENT, CLOSING, LAST-ACK, TIME-WAIT.",
    ]


def test_text_has_every_row() -> None:
    text = as_text()
    assert sum(line.startswith("  ") for line in text.splitlines()) == len(TRANSITIONS)
    assert "  FIN           TIME-WAIT     sends ACK       §3.10.7.4" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_dot_and_mermaid_have_every_arrow() -> None:
    assert as_dot().count(" -> ") == as_mermaid().count(" --> ") == len(arrows())
    assert '"FIN-WAIT-2" -> "TIME-WAIT" [label="FIN\\nsends ACK"];' in as_dot()
    assert "FIN_WAIT_2 --> TIME_WAIT: FIN, sends ACK" in as_mermaid()


def test_svg_has_every_state_and_arrow() -> None:
    svg = ET.fromstring(as_svg())
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {state.title for state in State} <= set(texts)
    titles = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}title")]
    for row in arrows():
        assert f"{row.source.title} to {row.target.title}, RFC 9293 §{row.section}" in titles


def test_nothing_in_the_svg_covers_anything_else() -> None:
    states = [Box(place(state), BOX_WIDTH, BOX_HEIGHT) for state in State]
    states.append(Box(place(State.CLOSED, after=True), BOX_WIDTH, BOX_HEIGHT))
    boxes = [*states, *(arrow.label for arrow in layout())]
    names = [*(state.title for state in State), "CLOSED", *(str(arrow.row) for arrow in layout())]
    touching = [
        (names[i], names[j]) for i, j in itertools.combinations(range(len(boxes)), 2) if boxes[i].touches(boxes[j])
    ]
    assert touching == []
    assert all(box.width / 2 <= box.middle.x <= WIDTH - box.width / 2 for box in boxes)
    assert all(box.height / 2 <= box.middle.y <= HEIGHT - box.height / 2 for box in boxes)
