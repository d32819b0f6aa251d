"""Values: what files say, checked and frozen."""
