"""What each kind of instruction adds to the dataflow graph."""
