"""Pure questions about programs and graphs: nothing here changes what it looks at."""
