"""Complete designs for boards will stand here; there is none yet."""
