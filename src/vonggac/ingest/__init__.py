"""Rules of recording life: when to try again, what a gap is called, where a stream goes.

Pure: time comes in as an argument, chance as a number. Sockets and processes are `appliance`.
"""
