"""What became of a batch, read from the journal; nothing here keeps a second account."""
