"""The figures of RFC 9293 §3.5 and §3.6, 6 to 13, line by line as they are printed.

Where a line differs from the RFC's, a note says why.
"""

from __future__ import annotations

import errno

import pytest

from tests.rfc9293.figure import Figure, connection, converse
from tulpen.tcp.connection import Connection
from tulpen.tcp.state import CLOSED, ESTABLISHED, LISTEN

FIGURE_6 = """
       TCP Peer A                                           TCP Peer B

   1.  CLOSED                                               LISTEN

   2.  SYN-SENT    --> <SEQ=100><CTL=SYN>               --> SYN-RECEIVED

   3.  ESTABLISHED <-- <SEQ=300><ACK=101><CTL=SYN,ACK>  <-- SYN-RECEIVED

   4.  ESTABLISHED --> <SEQ=101><ACK=301><CTL=ACK>       --> ESTABLISHED

   5.  ESTABLISHED --> <SEQ=101><ACK=301><CTL=ACK><DATA> --> ESTABLISHED
"""

FIGURE_7 = """
       TCP Peer A                                       TCP Peer B

   1.  CLOSED                                           CLOSED

   2.  SYN-SENT     --> <SEQ=100><CTL=SYN>              ...

   3.  SYN-RECEIVED <-- <SEQ=300><CTL=SYN>              <-- SYN-SENT

   4.               ... <SEQ=100><CTL=SYN>              --> SYN-RECEIVED

   5.  SYN-RECEIVED --> <SEQ=100><ACK=301><CTL=SYN,ACK> ...

   6.  ESTABLISHED  <-- <SEQ=300><ACK=101><CTL=SYN,ACK> <-- SYN-RECEIVED

   7.               ... <SEQ=100><ACK=301><CTL=SYN,ACK> --> ESTABLISHED
"""

# The RFC has SEQ=400 in line 7, another initial sequence number.  A connection keeps the one
# it was given; a host gives each request its own.
FIGURE_8 = """
       TCP Peer A                                           TCP Peer B

   1.  CLOSED                                               LISTEN

   2.  SYN-SENT    --> <SEQ=100><CTL=SYN>               ...

   3.  (duplicate) ... <SEQ=90><CTL=SYN>               --> SYN-RECEIVED

   4.  SYN-SENT    <-- <SEQ=300><ACK=91><CTL=SYN,ACK>  <-- SYN-RECEIVED

   5.  SYN-SENT    --> <SEQ=91><CTL=RST>               --> LISTEN

   6.              ... <SEQ=100><CTL=SYN>               --> SYN-RECEIVED

   7.  ESTABLISHED <-- <SEQ=300><ACK=101><CTL=SYN,ACK>  <-- SYN-RECEIVED

   8.  ESTABLISHED --> <SEQ=101><ACK=301><CTL=ACK>      --> ESTABLISHED
"""

FIGURE_9 = """
         TCP Peer A                                      TCP Peer B

     1.  (REBOOT)                              (send 300,receive 100)

     2.  CLOSED                                           ESTABLISHED

     3.  SYN-SENT --> <SEQ=400><CTL=SYN>              --> (??)

     4.  (!!)     <-- <SEQ=300><ACK=100><CTL=ACK>     <-- ESTABLISHED

     5.  SYN-SENT --> <SEQ=100><CTL=RST>              --> (Abort!!)

     6.  SYN-SENT                                         CLOSED

     7.  SYN-SENT --> <SEQ=400><CTL=SYN>              -->
"""

FIGURE_10 = """
       TCP Peer A                                         TCP Peer B

   1.  (REBOOT)                                  (send 300,receive 100)

   2.  (??)    <-- <SEQ=300><ACK=100><DATA=10><CTL=ACK> <-- ESTABLISHED

   3.          --> <SEQ=100><CTL=RST>                   --> (ABORT!!)
"""

FIGURE_11 = """
       TCP Peer A                                    TCP Peer B

   1.  LISTEN                                        LISTEN

   2.       ... <SEQ=Z><CTL=SYN>                -->  SYN-RECEIVED

   3.  (??) <-- <SEQ=X><ACK=Z+1><CTL=SYN,ACK>   <--  SYN-RECEIVED

   4.       --> <SEQ=Z+1><CTL=RST>              -->  (return to LISTEN!)

   5.  LISTEN                                        LISTEN
"""

FIGURE_12 = """
       TCP Peer A                                           TCP Peer B

   1.  ESTABLISHED                                          ESTABLISHED

   2.  (Close)
       FIN-WAIT-1  --> <SEQ=100><ACK=300><CTL=FIN,ACK>  --> CLOSE-WAIT

   3.  FIN-WAIT-2  <-- <SEQ=300><ACK=101><CTL=ACK>      <-- CLOSE-WAIT

   4.                                                       (Close)
       TIME-WAIT   <-- <SEQ=300><ACK=101><CTL=FIN,ACK>  <-- LAST-ACK

   5.  TIME-WAIT   --> <SEQ=101><ACK=301><CTL=ACK>      --> CLOSED

   6.  (2 MSL)
       CLOSED
"""

FIGURE_13 = """
       TCP Peer A                                           TCP Peer B

   1.  ESTABLISHED                                          ESTABLISHED

   2.  (Close)                                              (Close)
       FIN-WAIT-1  --> <SEQ=100><ACK=300><CTL=FIN,ACK>  ... FIN-WAIT-1
                   <-- <SEQ=300><ACK=100><CTL=FIN,ACK>  <--
                   ... <SEQ=100><ACK=300><CTL=FIN,ACK>  -->

   3.  CLOSING     --> <SEQ=101><ACK=301><CTL=ACK>      ... CLOSING
                   <-- <SEQ=301><ACK=101><CTL=ACK>      <--
                   ... <SEQ=101><ACK=301><CTL=ACK>      -->

   4.  TIME-WAIT                                            TIME-WAIT
       (2 MSL)                                              (2 MSL)
       CLOSED                                               CLOSED
"""


def listening(iss: int) -> Connection:
    end = connection(iss)
    end.open_passive(0)
    return end


def established(a: int, b: int) -> tuple[Connection, Connection]:
    """Two ends that send ``a`` and ``b`` next."""
    ends = connection(a - 1), listening(b - 1)
    ends[0].open_active(0)
    converse(*ends, 0)
    assert ends[0].state is ends[1].state is ESTABLISHED
    return ends


def test_figure_6_three_way_handshake() -> None:
    figure = Figure(connection(100), listening(300))
    figure.run(FIGURE_6)
    assert figure.is_quiet()


@pytest.mark.requirement("MUST-10")
def test_figure_7_simultaneous_open() -> None:
    figure = Figure(connection(100), connection(300))
    figure.run(FIGURE_7)
    assert figure.is_quiet()


@pytest.mark.requirement("MUST-11")
def test_figure_8_recovery_from_an_old_duplicate_syn() -> None:
    figure = Figure(connection(100), listening(300))
    figure.run(FIGURE_8)
    assert figure.is_quiet()


def test_figure_9_half_open_connection_discovery() -> None:
    _, b = established(100, 300)
    figure = Figure(connection(400), b)
    figure.run(FIGURE_9)
    assert b.error == errno.ECONNRESET


def test_figure_10_the_active_side_discovers_it() -> None:
    _, b = established(100, 300)
    figure = Figure(connection(400), b)
    figure.run(FIGURE_10)
    assert (b.state, b.error) == (CLOSED, errno.ECONNRESET)
    assert figure.is_quiet()


def test_figure_11_old_duplicate_syn_and_two_passive_sockets() -> None:
    a, b = listening(100), listening(300)
    figure = Figure(a, b)
    figure.run(FIGURE_11, Z=90, X=300)
    assert a.state is b.state is LISTEN
    assert figure.is_quiet()


def test_figure_12_normal_close() -> None:
    a, b = established(100, 300)
    figure = Figure(a, b)
    figure.run(FIGURE_12)
    assert (a.error, b.error) == (0, 0)
    assert figure.is_quiet()


def test_figure_13_simultaneous_close() -> None:
    a, b = established(100, 300)
    figure = Figure(a, b)
    figure.run(FIGURE_13)
    assert (a.error, b.error) == (0, 0)
    assert figure.is_quiet()


def test_a_figure_that_is_wrong_fails() -> None:
    """The figures are executed, not only read."""
    for wrong in (
        FIGURE_6.replace("3.  ESTABLISHED", "3.  SYN-SENT   "),
        FIGURE_6.replace("ACK=301", "ACK=300"),
        FIGURE_6.replace("<DATA>", ""),
    ):
        figure = Figure(connection(100), listening(300))
        with pytest.raises(AssertionError):
            figure.run(wrong)
