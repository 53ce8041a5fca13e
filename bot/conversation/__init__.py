"""The core: what is said in a thread in, one answer for every question out. Standard library only."""
