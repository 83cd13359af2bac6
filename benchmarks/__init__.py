"""What tulpen costs: ``python -m benchmarks``, or ``make bench``.

Every case is run once a round, the cases of a group in turn, so that what changes on the
machine meanwhile changes them alike; the table shows the medians and the spread.
"""
