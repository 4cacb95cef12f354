import gc

gc.set_threshold(50_000)  # what imports make stays; looking through it again and again is an eighth of every start
