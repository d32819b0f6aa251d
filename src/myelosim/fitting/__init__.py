"""Parameters from counts: objectives, searches, uncertainty, and what shows whether to believe them."""
