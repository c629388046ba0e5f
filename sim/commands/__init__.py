"""The commands of rxgate: words of the command line -> calls, and what is printed of them."""
