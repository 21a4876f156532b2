"""The demo: a community of fathers on real servers, told as a story in which every step is verified."""
