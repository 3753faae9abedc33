"""The wires: each module hides one library, and translates its errors into ours."""
