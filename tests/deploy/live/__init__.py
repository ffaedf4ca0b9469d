"""deploy/ at work: nginx before the real program, and the processes of the compose file without containers."""
