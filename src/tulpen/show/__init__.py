"""What people see: the state diagram, ladders, tables, reports."""
