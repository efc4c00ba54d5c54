"""Rooms of a run that can be judged by themselves."""
