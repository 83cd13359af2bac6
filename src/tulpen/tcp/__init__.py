"""One connection: RFC 9293, and what no TCP is complete without.

Read ``state`` first, ``arrives`` second.  Then, in any order: ``calls`` and ``timeouts``
(the other two entrances), ``output`` (the only builder of segments), ``tcb`` (what is
remembered), ``judge`` (the questions the RFC asks), ``recovery`` (what an acknowledgment
says of loss), and ``connection``, the surface.
"""
