"""The provider, played on this machine: the same wire, pictures painted from words, pretend prices.

It buys nothing and fetches nothing. The client does not know it exists.
"""
