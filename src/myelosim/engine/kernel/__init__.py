"""Text of the compiled program: each module here is copied into every emitted program after its generated part."""
