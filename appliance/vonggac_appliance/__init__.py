"""What needs a machine: sockets, processes, clocks, arguments, environment."""
