"""CBC and concentration tables: from files to the arrays a fit reads."""
