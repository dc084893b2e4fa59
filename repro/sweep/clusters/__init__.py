"""Where jobs are carried out: in this process, or in a queue on this machine."""
