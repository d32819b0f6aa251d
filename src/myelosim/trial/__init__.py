"""One arm of a scenario: run and reduced."""
