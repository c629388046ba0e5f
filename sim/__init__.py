"""Programs and packets -> what must happen, and what does: the executors and their comparison."""
