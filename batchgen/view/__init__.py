"""The live page: a batch watched in a browser on this machine. It reads the journal, and never writes it."""
