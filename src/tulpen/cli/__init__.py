"""The command line: one short module a command, loaded when the command is named."""
