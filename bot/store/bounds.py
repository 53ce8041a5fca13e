"""How much the stores hold or hand out at once."""

MAX_SIGNALS = 100  # words waiting for a process that does not read them; the oldest are dropped first
MAX_OPEN_THREADS = 100  # of one channel
MAX_OPEN_TURNS = 100  # of one thread
